import { useProfile } from '../../src/serve/profiles.ts';
import type { Run } from '../command.ts';
import type { useSpec } from './specs.ts';

export const run: Run<typeof useSpec> = async ({ args, env, output }) => {
  await useProfile(env, args.profile);
  await output.result({
    json: { type: 'config', current: args.profile },
    blocks: [{ kind: 'text', text: `Using ${args.profile}` }],
  });
  if (env.STREAMS_PROFILE) output.warn(`STREAMS_PROFILE=${env.STREAMS_PROFILE} stands before it`);
};
