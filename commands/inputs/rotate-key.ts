import type { Run } from '../command.ts';
import { inputWithKey } from './shown-once.ts';
import type { rotateKeySpec } from './specs.ts';

export const run: Run<typeof rotateKeySpec> = async ({ args, output, api }) => {
  await output.result(inputWithKey(await (await api()).rotateStreamKey(args.id)));
  output.note('\nThe old stream key no longer works; this one is shown this once.');
};
