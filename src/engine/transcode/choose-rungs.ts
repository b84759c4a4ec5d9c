import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import type { Ladder, LadderRung } from '../../core/ladder.ts';
import { h264Level, highProfileCodec } from './h264-level.ts';

/** A rendition of one source, as it is to be encoded. */
export type Rung = {
  /** `video/720p`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Bits per second. */
  readonly bitrate: number;
  /** 31 is 3.1. */
  readonly level: number;
  readonly codec: string;
  readonly framerate: number | undefined;
};

/** Bits per second at up to 40 frames a second, by lines of the shorter side; half as much again above. */
const bitrates: readonly (readonly [lines: number, bitrate: number])[] = [
  [144, 200_000],
  [240, 350_000],
  [360, 700_000],
  [480, 1_200_000],
  [720, 2_500_000],
  [1080, 4_500_000],
  [1440, 9_000_000],
  [2160, 16_000_000],
];
const automatic = [1080, 720, 480, 360];
const automaticSmall = [240];
const maxAutomatic = 3;
/** A rung this close to the source is not worth its cost. */
const nearSource = 0.85;
const highFramerate = 40;
/** Assumed for the level where the source does not tell its rate. */
const unknownFramerate = 60;

/**
 * The renditions of a source: none of its size or larger. `kept`: heights that viewers may hold on to from before the source
 * shrank; they stay, at the size of the source.
 */
export function chooseRungs(ladder: Ladder, source: CatalogTrack, kept: readonly LadderRung[] = []): Rung[] {
  const { width, height, framerate } = source;
  if (ladder.kind === 'none' || source.kind !== 'video' || width === undefined || height === undefined) return [];
  const lines = Math.min(width, height);
  const wanted = ladder.kind === 'auto' ? automaticRungs(lines) : ladder.rungs.filter((rung) => rung.height < lines);
  const all = new Map([...kept, ...wanted].map((rung) => [rung.height, rung]));
  return [...all.values()]
    .sort((a, b) => b.height - a.height)
    .map((rung): Rung => {
      const scale = Math.min(1, rung.height / lines);
      const bitrate = rung.bitrate ?? tableBitrate(rung.height, framerate);
      const size = { width: even(width * scale), height: even(height * scale) };
      const level = h264Level(size.width, size.height, framerate ?? unknownFramerate, bitrate);
      return { name: `video/${rung.height}p`, ...size, bitrate, level, codec: highProfileCodec(level), framerate };
    });
}

/** What the catalog says of it before it has run. */
export function describeRung({ name, codec, width, height, bitrate, framerate }: Rung): CatalogTrack {
  const rate = framerate === undefined ? {} : { framerate };
  return { name, kind: 'video', codec, width, height, bitrate, ...rate };
}

function automaticRungs(lines: number): LadderRung[] {
  const below = (heights: readonly number[]) => heights.filter((height) => height <= lines * nearSource);
  const large = lines > 480 ? below(automatic).slice(0, maxAutomatic) : below(automaticSmall);
  return large.map((height) => ({ height, bitrate: undefined }));
}

/** By the table, straight lines between its rows. */
function tableBitrate(lines: number, framerate: number | undefined): number {
  const above = bitrates.findIndex(([height]) => height >= lines);
  const [upper, lower] = [bitrates[above] ?? bitrates.at(-1)!, bitrates[Math.max(0, above - 1)]!];
  const share = upper[0] === lower[0] ? 0 : (lines - lower[0]) / (upper[0] - lower[0]);
  const bitrate = lower[1] + share * (upper[1] - lower[1]);
  return Math.round((bitrate * ((framerate ?? 0) > highFramerate ? 1.5 : 1)) / 1000) * 1000;
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2);
}
