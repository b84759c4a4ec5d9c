import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { type Revocation, revocationTable } from './revocation.ts';
import type { revokeSpec } from './specs.ts';

export const run: Run<typeof revokeSpec> = async ({ options, output, api }) => {
  const { jti, viewer, input, yes } = options;
  const given = Object.entries({ jti, viewer, input }).filter(([, value]) => value !== undefined);
  const [which] = given;
  if (which === undefined || given.length > 1) {
    throw new StreamsError('USAGE', 'revoke one token, the tokens of a viewer, or those of an input', {
      hint: 'streams playback revoke --jti <id> | --viewer <id> | --input <lv_…>',
    });
  }
  const [kind, value] = which;
  await confirm(output, {
    yes,
    question:
      kind === 'jti' ? `Revoke the token ${value}?` : `Revoke every token of the ${kind} ${value} and cut who watches?`,
    command: `streams playback revoke --${kind} ${value}`,
  });
  const body = { jti: { jti }, viewer: { viewerId: viewer }, input: { inputId: input } }[kind];
  const revocation = await (await api()).request<Revocation>('POST', '/v1/playback/revocations', body);
  await output.result({ json: { type: 'revocation', revocation }, blocks: [revocationTable([revocation])] });
};
