import { moqtVersions, relayVersions } from '../../src/codec/moqt/version-names.ts';
import type { OptionSpec } from '../command.ts';

/** `--versions` of commands that reach a relay as a viewer or a publisher does. */
export const viewerVersionsOption = {
  value: 'version',
  description: `offer only these versions of MoQT: ${moqtVersions.join(', ')}; may be repeated, or a comma list`,
  repeatable: true,
} as const satisfies OptionSpec;

/** `--versions` of a relay. */
export const relayVersionsOption = {
  value: 'version',
  description: `the relay offers only these versions of MoQT: ${relayVersions.join(', ')}; may be repeated, or a comma list, best first`,
  repeatable: true,
} as const satisfies OptionSpec;
