import { StreamsError, toStreamsError } from '../../../src/core/errors.ts';
import { allOf, type BoxNode, childOf, type Problem } from './box-tree.ts';
import { full, type Track } from './tracks.ts';

/** Times in ticks. */
export type SampleInfo = {
  /** Offset in the file. */
  at: number;
  size: number;
  duration: number;
  compositionOffset: number;
  keyframe: boolean;
};

export type TrackRun = {
  trackId: number;
  /** undefined without tfdt. */
  decodeTime: number | undefined;
  defaultBaseIsMoof: boolean;
  baseDataOffset: boolean;
  samples: SampleInfo[];
};

export type FragmentInfo = {
  /** Of its moof. */
  at: number;
  sequence: number | undefined;
  runs: TrackRun[];
  /** Range of the mdat payload; undefined without one. */
  data: { start: number; end: number } | undefined;
};

const maxSamples = 1_000_000;

/** Every moof with the mdat behind it (ISO 14496-12 8.8). What cannot be read becomes a problem. */
export function readFragments(
  file: Uint8Array,
  boxes: readonly BoxNode[],
  tracks: readonly Track[],
): { fragments: FragmentInfo[]; problems: Problem[] } {
  const fragments: FragmentInfo[] = [];
  const problems: Problem[] = [];
  let budget = maxSamples;
  boxes.forEach((moof, index) => {
    if (moof.type !== 'moof') return;
    const mfhd = childOf(moof, 'mfhd');
    const mdat = nextMdat(boxes, index);
    const fragment: FragmentInfo = {
      at: moof.start,
      sequence: undefined,
      runs: [],
      data: mdat && { start: mdat.start + mdat.headerLength, end: mdat.start + mdat.size },
    };
    fragments.push(fragment);
    try {
      if (mfhd !== undefined) fragment.sequence = full(file, mfhd).reader.u32();
      for (const traf of allOf(moof.children, 'traf')) {
        const run = readTraf(file, moof, traf, tracks, budget);
        budget -= run.samples.length;
        fragment.runs.push(run);
      }
    } catch (error) {
      problems.push({ at: moof.start, message: `moof: ${toStreamsError(error).message}` });
    }
  });
  return { fragments, problems };
}

function nextMdat(boxes: readonly BoxNode[], moof: number): BoxNode | undefined {
  for (const box of boxes.slice(moof + 1)) {
    if (box.type === 'mdat') return box;
    if (box.type === 'moof') return undefined;
  }
  return undefined;
}

function readTraf(file: Uint8Array, moof: BoxNode, traf: BoxNode, tracks: readonly Track[], budget: number): TrackRun {
  const tfhd = childOf(traf, 'tfhd');
  if (tfhd === undefined) throw new StreamsError('MALFORMED', 'a traf without tfhd');
  const { flags, reader } = full(file, tfhd);
  const trackId = reader.u32();
  const defaults = tracks.find((track) => track.trackId === trackId)?.defaults;
  const base = flags & 0x01 ? Number(reader.u64()) : moof.start;
  if (flags & 0x02) reader.u32();
  const duration = flags & 0x08 ? reader.u32() : (defaults?.duration ?? 0);
  const size = flags & 0x10 ? reader.u32() : (defaults?.size ?? 0);
  const sampleFlags = flags & 0x20 ? reader.u32() : (defaults?.flags ?? 0);
  const samples: SampleInfo[] = [];
  let at = base;
  for (const node of traf.children) {
    if (node.type !== 'trun') continue;
    const trun = full(file, node);
    const count = trun.reader.u32();
    if (count > budget - samples.length) throw new StreamsError('LIMIT_EXCEEDED', `a trun with ${count} samples`);
    if (trun.flags & 0x01) at = base + trun.reader.i32();
    const first = trun.flags & 0x04 ? trun.reader.u32() : undefined;
    for (let i = 0; i < count; i++) {
      const own = {
        duration: trun.flags & 0x100 ? trun.reader.u32() : duration,
        size: trun.flags & 0x200 ? trun.reader.u32() : size,
        flags: trun.flags & 0x400 ? trun.reader.u32() : i === 0 && first !== undefined ? first : sampleFlags,
      };
      const compositionOffset = !(trun.flags & 0x800) ? 0 : trun.version === 0 ? trun.reader.u32() : trun.reader.i32();
      samples.push({
        at,
        size: own.size,
        duration: own.duration,
        compositionOffset,
        keyframe: !(own.flags & 0x1_0000),
      });
      at += own.size;
    }
  }
  return {
    trackId,
    decodeTime: decodeTimeOf(file, traf),
    defaultBaseIsMoof: (flags & 0x02_0000) !== 0,
    baseDataOffset: (flags & 0x01) !== 0,
    samples,
  };
}

function decodeTimeOf(file: Uint8Array, traf: BoxNode): number | undefined {
  const tfdt = childOf(traf, 'tfdt');
  if (tfdt === undefined) return undefined;
  const { version, reader } = full(file, tfdt);
  return version === 0 ? reader.u32() : Number(reader.u64());
}
