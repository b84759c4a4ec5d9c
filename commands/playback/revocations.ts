import type { Run } from '../command.ts';
import { type Revocation, revocationTable } from './revocation.ts';
import type { revocationsSpec } from './specs.ts';

export const run: Run<typeof revocationsSpec> = async ({ output, api }) => {
  const revocations = await (await api()).list<Revocation>('/v1/playback/revocations');
  await output.result({ json: { type: 'revocations', revocations }, blocks: [revocationTable(revocations)] });
};
