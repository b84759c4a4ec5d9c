import { StreamsError } from '../../src/core/errors.ts';
import { nearest } from '../../src/core/nearest.ts';
import { defaultCongestionControl } from '../../src/transport/quic/limits.ts';
import { type CongestionControl, congestionControls } from '../../src/transport/quic/native-types.ts';
import type { OptionSpec } from '../command.ts';

/** Throws USAGE. */
function parse(text: string): CongestionControl {
  const known = congestionControls.find((name) => name === text);
  if (known !== undefined) return known;
  const meant = nearest(text, congestionControls);
  throw new StreamsError('USAGE', `there is no congestion control "${text}"`, {
    hint: meant === undefined ? congestionControls.join(' | ') : `did you mean ${meant}?`,
  });
}

/** `--congestion-control` of what sends over QUIC. docs/benchmarks.md has what each makes of a bad line. */
export const congestionControlOption = {
  value: 'name',
  description: `how QUIC decides what a line can take: ${congestionControls.join(', ')}`,
  parse,
  default: defaultCongestionControl,
} as const satisfies OptionSpec;
