import { parseMediaPlaylist, parseMultivariantPlaylist } from '../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist } from '../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, updateProblems } from '../../src/codec/hls/validate-playlist.ts';
import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { redactUrl } from '../../src/core/log.ts';
import type { Run } from '../command.ts';
import { inspectSegment } from './segment/report.ts';
import { readSource } from './source.ts';
import type { hlsSpec } from './specs.ts';

const maxPlaylistBytes = 8 << 20;
const maxSegmentBytes = 256 << 20;
const maxRenditions = 32;

type RenditionReport = {
  url: string;
  lowLatency: boolean;
  targetDuration: number;
  segments: number;
  parts: number;
  /** How long each blocking reload took, ms. */
  reloadMs: number[];
  problems: string[];
};

export const run: Run<typeof hlsSpec> = async ({ args, options, output, signal, stdin }) => {
  const read = async (url: string, maxBytes: number) => readSource(url, maxBytes, { signal, stdin });
  const text = async (url: string) => Buffer.from(await read(url, maxPlaylistBytes)).toString();
  const first = await text(args.url);
  const multivariant = first.includes('#EXT-X-STREAM-INF') ? parseMultivariantPlaylist(first) : undefined;
  const urls =
    multivariant === undefined
      ? [args.url]
      : [...multivariant.variants, ...multivariant.audio].map(({ uri }) => at(uri, args.url));
  const wanted = [...new Set(urls)].slice(0, maxRenditions);
  const renditions = await Promise.all(wanted.map((url) => check(url).catch((error) => unreadable(url, error))));
  const problems = renditions.flatMap((rendition) =>
    rendition.problems.map((problem) => `${rendition.url}: ${problem}`),
  );
  await output.result({
    json: {
      type: 'hls',
      variants: multivariant?.variants.map(({ uri: _uri, ...variant }) => variant) ?? [],
      renditions,
    },
    blocks: [
      {
        kind: 'table',
        columns: ['playlist', 'low latency', 'target', 'segments', 'parts', 'reload', 'problems'],
        rows: renditions.map((rendition) => [
          rendition.url,
          rendition.lowLatency ? 'yes' : 'no',
          `${rendition.targetDuration} s`,
          String(rendition.segments),
          String(rendition.parts),
          rendition.reloadMs.map((ms) => `${ms} ms`).join(' '),
          String(rendition.problems.length),
        ]),
        empty: 'The playlist lists nothing.',
      },
    ],
  });
  if (problems.length > 0) throw new StreamsError('MALFORMED', problems.join('\n  '));

  async function check(url: string): Promise<RenditionReport> {
    let playlist = parseMediaPlaylist(await text(url));
    const problems = mediaPlaylistProblems(playlist);
    const reloadMs: number[] = [];
    for (
      let left = options.reloads ?? 2;
      left > 0 && !playlist.ended && playlist.serverControl?.canBlockReload;
      left--
    ) {
      const begun = performance.now();
      const next = parseMediaPlaylist(await text(reloadUrl(url, playlist)));
      reloadMs.push(Math.round(performance.now() - begun));
      problems.push(...mediaPlaylistProblems(next), ...updateProblems(playlist, next));
      playlist = next;
    }
    problems.push(...(await segmentProblems(url, playlist)));
    return {
      url: redactUrl(url),
      lowLatency: playlist.partTarget !== undefined,
      targetDuration: playlist.targetDuration,
      segments: playlist.segments.length,
      parts: [...playlist.segments, ...(playlist.tail === undefined ? [] : [playlist.tail])].reduce(
        (sum, { parts }) => sum + parts.length,
        0,
      ),
      reloadMs,
      problems: [...new Set(problems)],
    };
  }

  /** The newest whole segment with its init segment, as `inspect segment` sees them. */
  async function segmentProblems(url: string, { segments }: MediaPlaylist): Promise<string[]> {
    const newest = segments.at(-1);
    const map = segments.findLast((segment) => segment.map !== undefined)?.map;
    if (newest === undefined || map === undefined) return [];
    try {
      const [init, media] = await Promise.all([
        read(at(map, url), maxSegmentBytes),
        read(at(newest.uri, url), maxSegmentBytes),
      ]);
      return inspectSegment(media, init).problems.map(
        ({ at: byte, message }) => `newest segment, byte ${byte}: ${message}`,
      );
    } catch (error) {
      signal.throwIfAborted();
      return [`newest segment: ${toStreamsError(error).message}`];
    }
  }
};

/** A playlist against the form of the specification is a finding, not the end. */
function unreadable(url: string, error: unknown): RenditionReport {
  const { code, message } = toStreamsError(error);
  if (code !== 'MALFORMED') throw error;
  const nothing = { lowLatency: false, targetDuration: 0, segments: 0, parts: 0, reloadMs: [] };
  return { url: redactUrl(url), ...nothing, problems: [message] };
}

function at(uri: string, base: string): string {
  return new URL(uri, base).toString();
}

/** Asks for the part that is being made (draft-pantos-hls-rfc8216bis 6.2.5.2). */
function reloadUrl(url: string, { mediaSequence, skippedSegments, segments, tail, partTarget }: MediaPlaylist): string {
  const next = new URL(url);
  next.searchParams.set('_HLS_msn', String(mediaSequence + skippedSegments + segments.length));
  if (partTarget !== undefined) next.searchParams.set('_HLS_part', String(tail?.parts.length ?? 0));
  return next.toString();
}
