import { StreamsError } from './errors.ts';

/** One rendition wanted below the source. */
export type LadderRung = {
  /** Lines of the shorter side of the picture: 720 is 1280x720 or 720x1280. Even, 120 … 2160. */
  height: number;
  /** Bits per second; undefined: by the table (docs/transcode.md). */
  bitrate: number | undefined;
};

/** Which renditions an input is to have beside its source. `always`: they are made whether or not somebody watches. */
export type Ladder =
  | { readonly kind: 'none' }
  | { readonly kind: 'auto'; readonly always: boolean }
  | { readonly kind: 'rungs'; readonly rungs: readonly LadderRung[]; readonly always: boolean };

/** Renditions one input may have. */
const maxRungs = 6;
const minBitrate = 50_000;
const maxBitrate = 50_000_000;
const hint = 'auto, none, or heights as in 720p,480p or 720p:2500k,480p:1M; `,always` behind them keeps them running';

/**
 * `none`, `auto`, or `720p:2500k,480p` (bitrates in bit/s, with k or M), each but `none` with `,always` behind it on request.
 * Rungs come back tallest first. Throws INVALID_ARGUMENT.
 */
export function parseLadder(text: string): Ladder {
  const parts = text
    .trim()
    .toLowerCase()
    .split(/\s*,\s*/);
  const always = parts.length > 1 && parts.at(-1) === 'always';
  if (always) parts.pop();
  if (parts.length === 1 && parts[0] === 'none' && !always) return { kind: 'none' };
  if (parts.length === 1 && parts[0] === 'auto') return { kind: 'auto', always };
  if (parts.length > maxRungs) throw invalid(`more than ${maxRungs} renditions`);
  const rungs = parts.map(parseRung).sort((a, b) => b.height - a.height);
  if (new Set(rungs.map(({ height }) => height)).size !== rungs.length) throw invalid('a height twice');
  return { kind: 'rungs', rungs, always };
}

/** The text `parseLadder` reads as the same ladder. */
export function formatLadder(ladder: Ladder): string {
  if (ladder.kind === 'none') return 'none';
  const rungs =
    ladder.kind === 'auto'
      ? ['auto']
      : ladder.rungs.map(
          ({ height, bitrate }) => `${height}p${bitrate === undefined ? '' : `:${formatRate(bitrate)}`}`,
        );
  return [...rungs, ...(ladder.always ? ['always'] : [])].join(',');
}

function parseRung(text: string): LadderRung {
  const match = /^(\d{3,4})p?(?::(\d{1,9}(?:\.\d{1,3})?)([km]?))?$/.exec(text);
  if (match === null) throw invalid(`"${text.slice(0, 40)}"`);
  const height = Number(match[1]);
  if (height % 2 !== 0 || height < 120 || height > 2160) throw invalid(`a height of ${height}: even, 120 to 2160`);
  if (match[2] === undefined) return { height, bitrate: undefined };
  const bitrate = Math.round(Number(match[2]) * (match[3] === 'm' ? 1_000_000 : match[3] === 'k' ? 1000 : 1));
  if (bitrate < minBitrate || bitrate > maxBitrate) throw invalid(`a bitrate of ${bitrate} bit/s: 50k to 50M`);
  return { height, bitrate };
}

function formatRate(bitrate: number): string {
  return bitrate % 1000 === 0 ? `${bitrate / 1000}k` : String(bitrate);
}

function invalid(what: string): StreamsError {
  return new StreamsError('INVALID_ARGUMENT', `ladder: ${what}`, { hint });
}
