import { parseMediaPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist } from '../../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, merge, updateProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { bytesEqual, concat } from '../../../src/core/bytes.ts';

export type FollowOptions = {
  /** `http://host:port/hls/<id>/` */
  base: string;
  token: string;
  /** Of a rendition: `audio/index.m3u8`. */
  path: string;
  /** Asked after each reload. */
  enough(): boolean;
};

export type Followed = {
  /** What broke a rule of rfc8216bis, in words. */
  problems: string[];
  reloads: number;
  deltas: number;
  /** Segments that began with a discontinuity. */
  discontinuities: number;
  /** Answers of 503: nothing came in time. */
  timeouts: number;
  segments: number;
};

/** Follows a rendition as a low-latency player does (blocking reloads, hinted parts, delta updates), checking every rule on the way. */
export async function followRendition({ base, token, path, enough }: FollowOptions): Promise<Followed> {
  const query = `?tok=${token}`;
  const url = (uri: string) => new URL(uri, new URL(path, base)).href;
  const found: Followed = { problems: [], reloads: 0, deltas: 0, discontinuities: 0, timeouts: 0, segments: 0 };
  const { problems } = found;
  const parts = new Map<string, Uint8Array>();
  const first = await fetch(base + path + query);
  if (first.status !== 200) return { ...found, problems: [`${path} answers ${first.status}`] };
  let playlist = parseMediaPlaylist(await first.text());
  problems.push(...mediaPlaylistProblems(playlist));
  let newest = playlist.mediaSequence + playlist.segments.length - 1;
  while (!enough() && !playlist.ended) {
    const msn = playlist.mediaSequence + playlist.segments.length;
    const part = playlist.tail?.parts.length ?? 0;
    // The hinted part is asked for together with the playlist that will list it.
    const hint = playlist.preloadHint!;
    const [response, hinted] = await Promise.all([
      fetch(`${url('index.m3u8')}${query}&_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES`),
      fetch(url(hint)),
    ]);
    const text = await response.text();
    const media = new Uint8Array(await hinted.arrayBuffer());
    if (response.status === 503) {
      found.timeouts++;
      continue;
    }
    if (response.status !== 200) problems.push(`a reload answers ${response.status}: ${text.slice(0, 200)}`);
    if (hinted.status === 200) parts.set(hint, media);
    else if (hinted.status !== 503) problems.push(`the hinted part answers ${hinted.status}`);
    if (response.status !== 200) break;
    const answer = parseMediaPlaylist(text);
    if (answer.skippedSegments > 0) found.deltas++;
    found.reloads++;
    problems.push(...mediaPlaylistProblems(answer));
    const next = merge(playlist, answer);
    if (next === undefined) {
      problems.push('a delta update does not fit');
      break;
    }
    problems.push(...updateProblems(playlist, next));
    for (let at = newest + 1; at < next.mediaSequence + next.segments.length; at++) {
      const segment = next.segments[at - next.mediaSequence]!;
      found.segments++;
      if (segment.discontinuity) found.discontinuities++;
      problems.push(...(await compare(segment, parts, url)));
      newest = at;
    }
    playlist = next;
  }
  return found;
}

async function compare(
  { uri, parts }: MediaPlaylist['segments'][number],
  known: Map<string, Uint8Array>,
  url: (uri: string) => string,
): Promise<string[]> {
  const response = await fetch(url(uri));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const named = uri.replace(/\?.*/, '');
  if (response.status !== 200) return [`${named} answers ${response.status}`];
  const all = parts.map((part) => known.get(part.uri));
  for (const part of parts) known.delete(part.uri);
  if (parts.length === 0 || all.includes(undefined)) return [];
  return bytesEqual(concat(all as Uint8Array[]), bytes) ? [] : [`${named} is not its parts`];
}
