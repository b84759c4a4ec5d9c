import { type Box, readFullBox } from '../../../src/codec/cmaf/boxes.ts';
import type { SampleDefaults } from '../../../src/codec/cmaf/fragment.ts';
import { parseSampleEntry } from '../../../src/codec/cmaf/sample-entry.ts';
import { parseAvcConfig } from '../../../src/codec/h264/avc-config.ts';
import type { Sps } from '../../../src/codec/h264/sps.ts';
import { StreamsError, toStreamsError } from '../../../src/core/errors.ts';
import { allOf, type BoxNode, childOf, type Problem, payloadOf } from './box-tree.ts';
import { codecStringOf } from './codec-string.ts';

export type Track = {
  trackId: number;
  kind: 'video' | 'audio' | 'other';
  /** RFC 6381. */
  codec: string;
  /** Four letters of the sample entry. */
  entry: string;
  timescale: number;
  width?: number;
  height?: number;
  sampleRate?: number;
  channels?: number;
  /** H.264 only. */
  nalLengthSize?: number;
  sps?: Sps;
  defaults: SampleDefaults;
  /** Samples the sample table itself holds: a file that is not fragmented. Seconds. */
  table?: { samples: number; keyframes: number; duration: number; bytes: number };
};

const noDefaults: SampleDefaults = { duration: 0, size: 0, flags: 0 };

/** Tracks of the moov boxes. A track that cannot be read becomes a problem, and the others are still told. */
export function readTracks(file: Uint8Array, boxes: readonly BoxNode[]): { tracks: Track[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const tracks: Track[] = [];
  for (const moov of boxes.filter(({ type }) => type === 'moov')) {
    const defaults = new Map<number, SampleDefaults>();
    for (const trex of allOf(moov.children, 'trex')) {
      attempt(trex, () => {
        const { reader } = full(file, trex);
        const trackId = reader.u32();
        reader.u32();
        defaults.set(trackId, { duration: reader.u32(), size: reader.u32(), flags: reader.u32() });
      });
    }
    for (const trak of moov.children.filter(({ type }) => type === 'trak').slice(0, 64)) {
      attempt(trak, () => tracks.push(readTrack(file, trak, defaults)));
    }
  }
  return { tracks, problems };

  function attempt(node: BoxNode, read: () => void): void {
    try {
      read();
    } catch (error) {
      problems.push({ at: node.start, message: `${node.type}: ${toStreamsError(error).message}` });
    }
  }
}

function readTrack(file: Uint8Array, trak: BoxNode, defaults: ReadonlyMap<number, SampleDefaults>): Track {
  const tkhd = full(file, need(trak, 'tkhd'));
  tkhd.reader.take(tkhd.version === 1 ? 16 : 8);
  const trackId = tkhd.reader.u32();
  const mdhd = full(file, need(trak, 'mdia', 'mdhd'));
  mdhd.reader.take(mdhd.version === 1 ? 16 : 8);
  const timescale = mdhd.reader.u32();
  if (timescale === 0) throw malformed('the timescale is 0');
  const stsd = need(trak, 'mdia', 'minf', 'stbl', 'stsd');
  const entry = stsd.children[0];
  if (entry === undefined) throw malformed('no sample entry');
  const { description, codecString, ...parsed } = parseSampleEntry(asBox(file, entry));
  const avc = description?.codec === 'h264' ? parseAvcConfig(description.config) : undefined;
  const handler = handlerOf(file, trak);
  return {
    ...parsed,
    kind: parsed.kind === 'other' ? handler : parsed.kind,
    trackId,
    timescale,
    entry: entry.type,
    codec: codecStringOf(file, entry) ?? codecString,
    ...(avc === undefined ? {} : { nalLengthSize: avc.nalLengthSize, sps: avc.sps }),
    defaults: defaults.get(trackId) ?? noDefaults,
    ...tableOf(file, trak, timescale),
  };
}

function handlerOf(file: Uint8Array, trak: BoxNode): Track['kind'] {
  const { reader } = full(file, need(trak, 'mdia', 'hdlr'));
  reader.take(4);
  const type = String.fromCharCode(...reader.take(4));
  return type === 'vide' ? 'video' : type === 'soun' ? 'audio' : 'other';
}

/** stts (8.6.1.2) gives the times, stsz (8.7.3.2) the sizes. */
function tableOf(file: Uint8Array, trak: BoxNode, timescale: number): Pick<Track, 'table'> {
  const stbl = need(trak, 'mdia', 'minf', 'stbl');
  const [stts, stsz] = [childOf(stbl, 'stts'), childOf(stbl, 'stsz')];
  if (stts === undefined || stsz === undefined) return {};
  const times = full(file, stts).reader;
  let samples = 0;
  let ticks = 0;
  for (let left = times.u32(); left > 0; left--) {
    const count = times.u32();
    samples += count;
    ticks += count * times.u32();
  }
  if (samples === 0) return {};
  const sizes = full(file, stsz).reader;
  const each = sizes.u32();
  const count = sizes.u32();
  if (count !== samples) throw malformed(`stts counts ${samples} samples, stsz ${count}`);
  let bytes = each * count;
  if (each === 0) for (let left = count; left > 0; left--) bytes += sizes.u32();
  const stss = childOf(stbl, 'stss');
  const keyframes = stss === undefined ? samples : full(file, stss).reader.u32();
  return { table: { samples, keyframes, duration: ticks / timescale, bytes } };
}

function need(node: BoxNode, ...path: string[]): BoxNode {
  const found = childOf(node, ...path);
  if (found === undefined) throw malformed(`${path.at(-1)} is missing`);
  return found;
}

export function full(file: Uint8Array, node: BoxNode): ReturnType<typeof readFullBox> {
  return readFullBox(asBox(file, node));
}

function malformed(message: string): StreamsError {
  return new StreamsError('MALFORMED', message);
}

function asBox(file: Uint8Array, node: BoxNode): Box {
  const payload = payloadOf(file, node);
  return { type: node.type, start: node.start, bytes: file.subarray(node.start, node.start + node.size), payload };
}
