import type { OptionSpec } from './command.ts';

/** `--versions` of commands that reach a relay as a viewer does. */
export const viewerVersionsOption = {
  value: 'version',
  description: 'offer only these MoQT versions (moqt-18, …); may be repeated, or a comma list',
  repeatable: true,
} as const satisfies OptionSpec;
