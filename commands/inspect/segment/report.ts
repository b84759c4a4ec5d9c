import { type BoxNode, type Problem, readBoxTree } from './box-tree.ts';
import { playbackWarnings } from './check-playback.ts';
import { checkSamples } from './check-samples.ts';
import { type FragmentInfo, readFragments } from './fragments.ts';
import { readTracks, type Track } from './tracks.ts';

export type TrackReport = Omit<Track, 'sps' | 'defaults' | 'table' | 'nalLengthSize'> & {
  samples: number;
  keyframes: number;
  bytes: number;
  /** Seconds. */
  duration: number;
};

export type SegmentReport = {
  bytes: number;
  boxes: readonly BoxNode[];
  tracks: TrackReport[];
  fragments: FragmentInfo[];
  /** Where the file is truncated or lies, in the order of the file. */
  problems: Problem[];
  /** What players would refuse. */
  warnings: string[];
};

/** Looks at a file, or at a media segment with its init segment. Never throws. */
export function inspectSegment(file: Uint8Array, init?: Uint8Array): SegmentReport {
  const { boxes, problems } = readBoxTree(file);
  const own = readTracks(file, boxes);
  const given = init === undefined ? undefined : readTracks(init, readBoxTree(init).boxes);
  const tracks = own.tracks.length > 0 || given === undefined ? own.tracks : given.tracks;
  const read = readFragments(file, boxes, tracks);
  const samples = checkSamples(file, read.fragments, tracks);
  const has = (type: string) => boxes.some((box) => box.type === type);
  const headless = has('mdat') && !has('moov') && !has('moof');
  const all = [
    ...problems,
    ...(headless ? [{ at: file.length, message: 'media without moov or moof: the file was never finished' }] : []),
    ...own.problems,
    ...read.problems,
    ...samples.problems,
  ];
  return {
    bytes: file.length,
    boxes,
    tracks: tracks.map((track) => trackReport(track, read.fragments)),
    fragments: read.fragments,
    problems: all.sort((a, b) => a.at - b.at),
    warnings: [...samples.warnings, ...playbackWarnings(file, boxes, tracks, read.fragments)],
  };
}

function trackReport(track: Track, fragments: readonly FragmentInfo[]): TrackReport {
  const { sps: _sps, defaults: _defaults, nalLengthSize: _size, table, ...shown } = track;
  const samples = fragments
    .flatMap(({ runs }) => runs.filter(({ trackId }) => trackId === track.trackId))
    .flatMap((run) => run.samples);
  const sum = (value: (sample: (typeof samples)[number]) => number) =>
    samples.reduce((all, one) => all + value(one), 0);
  return {
    ...shown,
    samples: samples.length + (table?.samples ?? 0),
    keyframes: samples.filter(({ keyframe }) => keyframe).length + (table?.keyframes ?? 0),
    bytes: sum(({ size }) => size) + (table?.bytes ?? 0),
    duration: sum(({ duration }) => duration) / track.timescale + (table?.duration ?? 0),
  };
}
