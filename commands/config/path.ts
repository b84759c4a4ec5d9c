import { profilesFile } from '../../src/serve/profiles.ts';
import type { Run } from '../command.ts';
import type { pathSpec } from './specs.ts';

export const run: Run<typeof pathSpec> = async ({ env, output }) => {
  const path = profilesFile(env);
  await output.result({ json: { type: 'config', path }, blocks: [{ kind: 'text', text: path }] });
};
