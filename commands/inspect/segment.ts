import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import type { Block } from '../output/output.ts';
import { boxDetails } from './segment/box-details.ts';
import type { BoxNode } from './segment/box-tree.ts';
import { inspectSegment, type SegmentReport, type TrackReport } from './segment/report.ts';
import { readSource } from './source.ts';
import type { segmentSpec } from './specs.ts';

const maxBytes = 1 << 30;
/** Fragments a person is shown without `--all`. */
const shownFragments = 3;
const topBoxes = 5;

export const run: Run<typeof segmentSpec> = async ({ args, options, output, signal, stdin }) => {
  const file = await readSource(args.source, maxBytes, { signal, stdin });
  const init = options.init === undefined ? undefined : await readSource(options.init, maxBytes, { signal, stdin });
  if (file.length === 0) throw new StreamsError('NO_MEDIA', 'the file is empty');
  refuseOthers(file);
  const report = inspectSegment(file, init);
  await output.result({ json: toJson(file, report), blocks: toBlocks(file, report, options.all === true) });
  for (const text of report.warnings) output.warn(text);
  const { problems } = report;
  if (problems.length === 0) return;
  throw new StreamsError('MALFORMED', problems.map(({ at, message }) => `at byte ${at}: ${message}`).join('\n  '), {
    hint: 'fetch or package the file again',
  });
};

/** Files of other formats, which would only look like broken boxes. */
function refuseOthers(file: Uint8Array): void {
  const text = String.fromCharCode(...file.subarray(0, 8));
  const found =
    file[0] === 0x47 && (file.length < 189 || file[188] === 0x47)
      ? 'an MPEG transport stream'
      : text.startsWith('FLV')
        ? 'an FLV file'
        : text.startsWith('#EXTM3U')
          ? 'an HLS playlist'
          : text.startsWith('\x1aE\xdf\xa3')
            ? 'a Matroska or WebM file'
            : undefined;
  if (found !== undefined) {
    throw new StreamsError('UNSUPPORTED', `this is ${found}, not an ISO media file (fMP4, CMAF, MP4)`);
  }
}

function toJson(file: Uint8Array, report: SegmentReport): { type: string } & Record<string, unknown> {
  const box = (node: BoxNode): object => {
    const details = boxDetails(file, node);
    return {
      type: node.type,
      start: node.start,
      size: node.size,
      ...(details === undefined ? {} : { details }),
      ...(node.children.length === 0 ? {} : { boxes: node.children.map(box) }),
    };
  };
  const { bytes, boxes, tracks, fragments, problems, warnings } = report;
  return { type: 'segment', bytes, tracks, fragments, problems, warnings, boxes: boxes.map(box) };
}

function toBlocks(file: Uint8Array, report: SegmentReport, all: boolean): Block[] {
  const { tracks, fragments } = report;
  const shown = all ? fragments : fragments.slice(0, shownFragments);
  return [
    { kind: 'text', text: treeLines(file, report.boxes, all).join('\n') },
    ...(tracks.length === 0 ? [] : [{ kind: 'text', text: '' } as const, trackTable(tracks)]),
    ...(fragments.length === 0
      ? []
      : ([
          { kind: 'text', text: '' },
          {
            kind: 'table',
            columns: ['fragment at', 'sequence', 'track', 'begins', 'samples', 'duration', 'bytes', 'first'],
            rows: shown.flatMap((fragment) => fragmentRows(fragment, tracks)),
            empty: '',
          },
        ] as const)),
    ...(shown.length === fragments.length
      ? []
      : [{ kind: 'text', text: `… ${fragments.length - shown.length} more fragments (--all shows them)` } as const]),
  ];
}

function treeLines(file: Uint8Array, boxes: readonly BoxNode[], all: boolean): string[] {
  const lines: string[] = [];
  const walk = (node: BoxNode, depth: number) => {
    const details = boxDetails(file, node);
    const name = `${'  '.repeat(depth)}${node.type}`;
    lines.push(
      `${name.padEnd(24)} ${String(node.start).padStart(10)} ${String(node.size).padStart(10)}${details === undefined ? '' : `  ${details}`}`,
    );
    for (const child of node.children) walk(child, depth + 1);
  };
  const moofs = boxes.flatMap(({ type }, index) => (type === 'moof' ? [index] : []));
  const end =
    all || boxes.length <= topBoxes ? boxes.length : Math.max(topBoxes, moofs[shownFragments] ?? boxes.length);
  for (const node of boxes.slice(0, end)) walk(node, 0);
  if (end < boxes.length) lines.push(`… ${boxes.length - end} more boxes (--all shows them)`);
  return [`${'box'.padEnd(24)} ${'at'.padStart(10)} ${'bytes'.padStart(10)}`, ...lines];
}

function trackTable(tracks: readonly TrackReport[]): Block {
  return {
    kind: 'table',
    columns: ['track', 'kind', 'codec', 'format', 'timescale', 'samples', 'keyframes', 'duration', 'bitrate'],
    rows: tracks.map((track) => [
      String(track.trackId),
      track.kind,
      track.codec,
      track.width !== undefined
        ? `${track.width}×${track.height}`
        : track.sampleRate === undefined
          ? ''
          : `${track.sampleRate} Hz, ${track.channels} ch`,
      String(track.timescale),
      String(track.samples),
      String(track.keyframes),
      `${track.duration.toFixed(3)} s`,
      track.duration === 0 ? '' : `${Math.round((track.bytes * 8) / track.duration / 1000)} kbit/s`,
    ]),
    empty: '',
  };
}

function fragmentRows(fragment: SegmentReport['fragments'][number], tracks: readonly TrackReport[]): string[][] {
  return fragment.runs.map(({ trackId, decodeTime, samples }) => {
    const timescale = tracks.find((track) => track.trackId === trackId)?.timescale;
    const time = (ticks: number) =>
      timescale === undefined ? `${ticks} ticks` : `${(ticks / timescale).toFixed(3)} s`;
    return [
      String(fragment.at),
      fragment.sequence === undefined ? '' : String(fragment.sequence),
      String(trackId),
      decodeTime === undefined ? '?' : time(decodeTime),
      String(samples.length),
      time(samples.reduce((sum, { duration }) => sum + duration, 0)),
      String(samples.reduce((sum, { size }) => sum + size, 0)),
      samples[0] === undefined ? '' : samples[0].keyframe ? 'keyframe' : 'delta',
    ];
  });
}
