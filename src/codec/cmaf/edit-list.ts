import { StreamsError } from '../../core/errors.ts';
import { type Box, findBox, readBoxes, readFullBox } from './boxes.ts';

/** What an edit list (ISO 14496-12 8.6.6) makes of the times of a track. All in ticks of the track. */
export type TrackEdit = {
  /** Presentation time minus media time: the pause before the track minus what was cut off its beginning. */
  readonly shift: number;
  /** Media time at which the presentation begins. */
  readonly begin: number;
  /** Media time at which it ends; undefined: with the media. */
  readonly end: number | undefined;
  /** It does more than this says: several cuts, pauses between them, other speeds. */
  readonly complex: boolean;
};

/** A track without an edit list. */
export const noEdit: TrackEdit = { shift: 0, begin: 0, end: undefined, complex: false };

const maxEdits = 10_000;

/** The edit list of a `trak`'s boxes. `movieTimescale` is the clock of its durations. Throws MALFORMED, LIMIT_EXCEEDED. */
export function parseTrackEdit(trak: readonly Box[], movieTimescale: number, timescale: number): TrackEdit {
  const edts = findBox(trak, 'edts');
  const elst = edts && findBox(readBoxes(edts.payload), 'elst');
  if (elst === undefined) return noEdit;
  const { version, reader } = readFullBox(elst);
  const count = reader.u32();
  if (count > maxEdits) throw new StreamsError('LIMIT_EXCEEDED', `${count} edits of a track`);
  const toTrack = (duration: number): number =>
    movieTimescale === 0 ? 0 : Math.round((duration * timescale) / movieTimescale);
  let pause = 0;
  let media: { begin: number; end: number | undefined } | undefined;
  let complex = false;
  for (let i = 0; i < count; i++) {
    const duration = version === 1 ? Number(reader.u64()) : reader.u32();
    const time = version === 1 ? Number(BigInt.asIntN(64, reader.u64())) : reader.i32();
    const rate = reader.u32();
    if (time < 0) {
      // A pause behind the media shows nothing.
      if (media === undefined) pause += duration;
      else complex ||= i < count - 1;
    } else if (media === undefined) {
      const whole = duration === 0 || isUnknown(duration, version);
      media = { begin: time, end: whole ? undefined : time + toTrack(duration) };
      complex ||= rate !== 0x10000;
    } else complex = true;
  }
  const { begin, end } = media ?? { begin: 0, end: undefined };
  return { shift: toTrack(pause) - begin, begin, end, complex };
}

function isUnknown(duration: number, version: number): boolean {
  return duration >= (version === 1 ? Number.MAX_SAFE_INTEGER : 0xffffffff);
}
