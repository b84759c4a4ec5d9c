import { type Ladder, parseLadder } from '../../core/ladder.ts';
import type { Logger } from '../../core/log.ts';
import type { ChannelLadder, ChannelLadderOptions } from './channel-ladder.ts';

export type RenditionsOptions = {
  /** '' is none. */
  ffmpeg: string;
} & Pick<ChannelLadderOptions, 'lingerMs' | 'stuckMs' | 'retryMs'>;

/** What an input's ladder means on this engine; undefined: its source is passed through and that is all. */
export function renditionsOf(
  ladder: string | undefined,
  inputId: string,
  { ffmpeg, ...rest }: RenditionsOptions,
  logger: Logger,
): ChannelLadderOptions | undefined {
  if (ladder === undefined) return undefined;
  let parsed: Ladder;
  try {
    parsed = parseLadder(ladder);
  } catch {
    // A newer control plane than this engine: the source plays all the same.
    logger.warn('the ladder of the input is not understood: it is passed through', { inputId, ladder });
    return undefined;
  }
  if (parsed.kind === 'none') return undefined;
  if (ffmpeg === '') {
    logger.warn('no ffmpeg here: the input is passed through without renditions', { inputId, ladder });
    return undefined;
  }
  return { ladder: parsed, ffmpeg, inputId, logger, ...rest };
}

/** For the control plane, as of now. `wanted`: the ladder the input has; undefined or `none` says nothing. */
export function renditionStats(
  wanted: string | undefined,
  ladder: ChannelLadder | undefined,
): Record<string, string | number | boolean> {
  if (wanted === undefined || wanted === 'none') return {};
  if (ladder === undefined) return { renditions: 'none: the engine has no ffmpeg' };
  const { cost, names } = ladder;
  return {
    renditions: names.length === 0 ? 'none below this source' : names.join(' '),
    ...(cost !== undefined && {
      transcoding: cost.running,
      transcodeCpuSeconds: Math.round(cost.cpuSeconds * 100) / 100,
      transcodeMediaSeconds: Math.round(cost.mediaSeconds * 100) / 100,
      transcodeRestarts: cost.restarts,
    }),
  };
}
