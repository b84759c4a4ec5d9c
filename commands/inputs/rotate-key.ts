import type { Run } from '../command.ts';
import { prepareSecretFiles } from '../options/secret-file.ts';
import { inputWithKey } from './shown-once.ts';
import type { rotateKeySpec } from './specs.ts';

export const run: Run<typeof rotateKeySpec> = async ({ args, options, output, api }) => {
  await prepareSecretFiles(options);
  const overlapSeconds = Math.round((options.overlap ?? 0) / 1000);
  const result = await inputWithKey(await (await api()).rotateStreamKey(args.id, overlapSeconds), options);
  await output.result(result);
  const old = overlapSeconds === 0 ? 'no longer works' : `still works for ${overlapSeconds} s`;
  output.note(`\nThe old stream key ${old}${result.saved ? '.' : '; this one is shown this once.'}`);
};
