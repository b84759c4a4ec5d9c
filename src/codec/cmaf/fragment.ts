import { StreamsError } from '../../core/errors.ts';
import { type Box, findBox, needBox, readBoxes, readFullBox } from './boxes.ts';

/** One access unit to be written as one fragment; times in ticks of the track's timescale. */
export type FragmentSample = {
  trackId: number;
  /** 1, 2, 3, … per track. */
  sequence: number;
  /** baseMediaDecodeTime, 0 … 2^53-1. */
  decodeTime: number;
  duration: number;
  /** Presentation minus decode time, may be negative (trun version 1). */
  compositionOffset: number;
  keyframe: boolean;
  data: Uint8Array;
  /** Milliseconds since the Unix epoch, written as `prft`. */
  wallClock: number;
};

/** An access unit behind the first of a fragment. */
export type FollowingSample = Pick<FragmentSample, 'duration' | 'compositionOffset' | 'keyframe' | 'data'>;

/** A parsed moof+mdat. */
export type Fragment = {
  readonly sequence: number;
  /** Of the first `prft`: ms since the Unix epoch at which the unit was produced, and the media time it belongs to. */
  readonly producer: { readonly wallClock: number; readonly mediaTime: number; readonly trackId: number } | undefined;
  readonly tracks: readonly TrackFragment[];
};

export type TrackFragment = {
  readonly trackId: number;
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly Sample[];
};

export type Sample = {
  /** Ticks. */
  readonly duration: number;
  readonly compositionOffset: number;
  /** Sample flags (ISO 14496-12 8.8.3.1). */
  readonly flags: number;
  /** sample_is_non_sync_sample is 0. */
  readonly keyframe: boolean;
  /** View into the fragment. */
  readonly data: Uint8Array;
};

/** What trex would give for fields a fragment leaves out. */
export type SampleDefaults = { duration: number; size: number; flags: number };

/** By track id: `new Map(parseInitSegment(init).map((track) => [track.trackId, track.defaults]))`. */
export type TrackDefaults = ReadonlyMap<number, SampleDefaults>;

const noDefaults: TrackDefaults = new Map();

const prftSize = 32;
const moofSize = 104;
const trunSampleSize = 16;
/** Bytes a fragment of one access unit has beyond it. */
export const fragmentOverhead = prftSize + moofSize + 8;

/** sample_depends_on 2 (an I picture); 1 and sample_is_non_sync_sample otherwise. */
const syncFlags = 0x02000000;
const nonSyncFlags = 0x01010000;
/** Seconds from the NTP epoch (1900) to the Unix epoch. */
const ntpOffset = 2_208_988_800;

/**
 * `prft` + `moof` + `mdat` of one access unit, or of several, in one allocation (ISO 14496-12 8.8, a CMAF chunk).
 *
 * prft (8.16.5) is version 1 with flags 1, "the time at which the frame was output by the encoder": an ingest knows when a
 * coded frame reached it, which is that moment plus the way here. 24 ("captured at") would claim a camera clock that no
 * ingest has.
 */
export function writeFragment(sample: FragmentSample, following: readonly FollowingSample[] = []): Uint8Array {
  const samples = [sample, ...following];
  const size = samples.reduce((sum, { data }) => sum + data.length, 0);
  const more = following.length * trunSampleSize;
  const out = new Uint8Array(fragmentOverhead + more + size);
  const view = new DataView(out.buffer);
  let at = 0;
  const u32 = (value: number): void => {
    view.setUint32(at, value >>> 0);
    at += 4;
  };
  const u64 = (value: number): void => {
    u32(Math.floor(value / 0x1_0000_0000));
    u32(value % 0x1_0000_0000);
  };
  const head = (length: number, type: number): void => {
    u32(length);
    u32(type);
  };
  head(prftSize, 0x70726674);
  u32(0x01000001);
  u32(sample.trackId);
  u32(Math.floor(sample.wallClock / 1000) + ntpOffset);
  u32(Math.floor(((sample.wallClock % 1000) / 1000) * 0x1_0000_0000));
  u64(sample.decodeTime);
  head(moofSize + more, 0x6d6f6f66);
  head(16, 0x6d666864); // mfhd
  u32(0);
  u32(sample.sequence);
  head(80 + more, 0x74726166); // traf
  head(16, 0x74666864); // tfhd
  u32(0x020000); // default-base-is-moof
  u32(sample.trackId);
  head(20, 0x74666474); // tfdt
  u32(0x01000000);
  u64(sample.decodeTime);
  head(36 + more, 0x7472756e); // trun
  u32(0x01000f01); // data offset; duration, size, flags and composition offset of each sample
  u32(samples.length);
  u32(moofSize + more + 8);
  for (const { duration, data, keyframe, compositionOffset } of samples) {
    u32(duration);
    u32(data.length);
    u32(keyframe ? syncFlags : nonSyncFlags);
    u32(compositionOffset);
  }
  head(8 + size, 0x6d646174);
  for (const { data } of samples) {
    out.set(data, at);
    at += data.length;
  }
  return out;
}

/**
 * Every track fragment of the first moof in `bytes`. At most 65 536 samples. Throws MALFORMED when a sample lies outside
 * of `bytes`, a box is missing or lies about its size. `origin`: what base_data_offset calls the beginning of `bytes`.
 */
export function parseFragment(bytes: Uint8Array, defaults: TrackDefaults = noDefaults, origin = 0): Fragment {
  const top = readBoxes(bytes);
  const moof = needBox(top, 'moof');
  const parts = readBoxes(moof.payload);
  const mfhd = readFullBox(needBox(parts, 'mfhd'));
  const prft = findBox(top, 'prft');
  let budget = 65_536;
  const tracks: TrackFragment[] = [];
  for (const box of parts) {
    if (box.type !== 'traf') continue;
    const track = parseTraf(box, bytes, moof, defaults, budget, origin);
    budget -= track.samples.length;
    tracks.push(track);
  }
  return { sequence: mfhd.reader.u32(), producer: prft === undefined ? undefined : parsePrft(prft), tracks };
}

function parsePrft(box: Box): Fragment['producer'] {
  const { version, reader } = readFullBox(box);
  const trackId = reader.u32();
  const seconds = reader.u32();
  const fraction = reader.u32();
  const wallClock = (seconds - ntpOffset) * 1000 + Math.round((fraction / 0x1_0000_0000) * 1000);
  return { trackId, wallClock, mediaTime: version === 0 ? reader.u32() : safe(reader.u64()) };
}

function parseTraf(
  box: Box,
  bytes: Uint8Array,
  moof: Box,
  trackDefaults: TrackDefaults,
  budget: number,
  origin: number,
): TrackFragment {
  const boxes = readBoxes(box.payload);
  const tfhd = readFullBox(needBox(boxes, 'tfhd'));
  const trackId = tfhd.reader.u32();
  const defaults = trackDefaults.get(trackId);
  const base = tfhd.flags & 0x01 ? safe(tfhd.reader.u64()) - origin : moof.start;
  if (tfhd.flags & 0x02) tfhd.reader.u32();
  const duration = tfhd.flags & 0x08 ? tfhd.reader.u32() : (defaults?.duration ?? 0);
  const size = tfhd.flags & 0x10 ? tfhd.reader.u32() : (defaults?.size ?? 0);
  const flags = tfhd.flags & 0x20 ? tfhd.reader.u32() : (defaults?.flags ?? 0);
  const tfdt = readFullBox(needBox(boxes, 'tfdt'));
  const baseMediaDecodeTime = tfdt.version === 0 ? tfdt.reader.u32() : safe(tfdt.reader.u64());
  const samples: Sample[] = [];
  let at = base;
  for (const run of boxes) {
    if (run.type !== 'trun') continue;
    const trun = readFullBox(run);
    const count = trun.reader.u32();
    if (count > budget - samples.length) throw new StreamsError('LIMIT_EXCEEDED', `${count} samples in a fragment`);
    if (trun.flags & 0x01) at = base + trun.reader.i32();
    const first = trun.flags & 0x04 ? trun.reader.u32() : undefined;
    for (let i = 0; i < count; i++) {
      const sampleDuration = trun.flags & 0x100 ? trun.reader.u32() : duration;
      const sampleSize = trun.flags & 0x200 ? trun.reader.u32() : size;
      const own = trun.flags & 0x400 ? trun.reader.u32() : undefined;
      const sampleFlags = own ?? (i === 0 && first !== undefined ? first : flags);
      const compositionOffset = !(trun.flags & 0x800) ? 0 : trun.version === 0 ? trun.reader.u32() : trun.reader.i32();
      if (at < 0 || at + sampleSize > bytes.length)
        throw new StreamsError('MALFORMED', 'a sample outside of its fragment');
      const data = bytes.subarray(at, at + sampleSize);
      samples.push({
        duration: sampleDuration,
        compositionOffset,
        flags: sampleFlags,
        keyframe: !(sampleFlags & 0x10000),
        data,
      });
      at += sampleSize;
    }
  }
  return { trackId, baseMediaDecodeTime, samples };
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new StreamsError('MALFORMED', 'a time or offset beyond 2^53');
  return Number(value);
}
