import { allowsTrack, type Grant } from '../../access/grant.ts';
import type { VerifiedTokens } from '../../access/verified-tokens.ts';
import { concat } from '../../core/bytes.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { HttpError } from '../../core/http-status.ts';
import type { Logger } from '../../core/log.ts';
import { errorResponse } from '../http/error-response.ts';
import { readPreflight, textAnswer } from '../http/player-answers.ts';
import { mediaPlaylist, multivariantPlaylist } from './playlists.ts';
import { checkAhead, isReached, readDirectives } from './reload.ts';
import { type Rendition, targetDuration } from './rendition.ts';
import type { HlsWindow } from './window.ts';
import type { HlsWindows } from './windows.ts';

export type HlsContext = {
  readonly tokens: VerifiedTokens;
  readonly windows: HlsWindows;
  readonly logger: Logger;
  /** Of the viewer, not of a proxy before us. */
  readonly remoteAddress: string;
};

const cors = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'content-length, date, age',
};
/** A blocked playlist request is given up after it (6.2.5.2). */
const blockMs = 3 * targetDuration * 1000;
const pathPattern =
  /^\/hls\/([A-Za-z0-9_-]{1,128})\/(?:((?:[a-z0-9][A-Za-z0-9_.-]{0,63}\/){0,3}))(index\.m3u8|(init|segment|part)-(\d{1,15})\.(?:m4s|mp4))$/;

/**
 * `/hls/<id>/…` of rfc8216bis: playlists that block and skip, init segments, segments and parts, with the token in every
 * URL. Never rejects.
 */
export async function handleHls(request: Request, context: HlsContext): Promise<Response> {
  if (request.method === 'OPTIONS') return readPreflight(request, cors);
  try {
    const response = await answer(request, context);
    return request.method === 'HEAD' ? withoutBody(response) : response;
  } catch (thrown) {
    const error = toStreamsError(thrown);
    if (error.code === 'INTERNAL') context.logger.error('HLS request failed', { detail: error.message });
    return errorResponse(error, {
      ...cors,
      ...(retryAfter.has(error.code) && { 'retry-after': '1' }),
    });
  }
}

const retryAfter = new Set(['TIMEOUT', 'STREAM_OFF_AIR', 'API_UNREACHABLE']);

async function answer(request: Request, context: HlsContext): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new HttpError(405, 'UNSUPPORTED', `HLS is read: ${request.method} does nothing here`);
  const url = new URL(request.url);
  const match = pathPattern.exec(url.pathname);
  const [, id, folder, file, kind, number] = match ?? [];
  if (id === undefined || file === undefined) throw new StreamsError('NOT_FOUND', 'there is nothing here');
  const { tokens, windows, remoteAddress } = context;
  const token = url.searchParams.get('tok') ?? '';
  const origin = request.headers.get('origin') ?? undefined;
  const grant = await tokens.grant(token, id, { remoteAddress, origin });
  const trackName = folder === undefined ? '' : folder.slice(0, -1);
  const query = `?tok=${encodeURIComponent(token)}`;
  if (kind === undefined) {
    // What a token does not open is not made for it either.
    if (trackName !== '' && !allowsTrack(grant, trackName))
      throw new StreamsError('NOT_FOUND', 'the stream has no such rendition');
    const window = windows.ask(id, trackName);
    if (window === undefined) throw new StreamsError('STREAM_OFF_AIR', 'the stream is not live now');
    const text =
      trackName === ''
        ? await multivariant(window, grant, query, request.signal)
        : await media(window, grant, trackName, url.searchParams, query, request.signal);
    return playlistResponse(request, text);
  }
  const window = windows.find(id);
  const rendition = allowsTrack(grant, trackName) ? window?.renditions.get(trackName) : undefined;
  const bytes =
    window !== undefined && rendition !== undefined
      ? await load(window, rendition, kind, Number(number), request.signal)
      : undefined;
  if (bytes === undefined) throw new StreamsError('NOT_FOUND', 'it is not, or no longer, in the live window');
  return new Response(bytes as Uint8Array<ArrayBuffer>, {
    headers: {
      ...cors,
      'content-type': 'video/mp4',
      'content-length': String(bytes.length),
      // The name never comes again with other bytes.
      'cache-control': 'public, max-age=3600, immutable',
    },
  });
}

async function multivariant(window: HlsWindow, grant: Grant, query: string, signal: AbortSignal): Promise<string> {
  if (!(await window.started(signal))) throw new StreamsError('TIMEOUT', 'the stream has not begun to arrive yet');
  return multivariantPlaylist(window, query, (name) => allowsTrack(grant, name));
}

async function media(
  window: HlsWindow,
  grant: Grant,
  trackName: string,
  params: URLSearchParams,
  query: string,
  signal: AbortSignal,
): Promise<string> {
  const allowed = (name: string) => allowsTrack(grant, name);
  const directives = readDirectives(params);
  if (!(await window.started(signal, trackName)))
    throw new StreamsError('TIMEOUT', 'the stream has not begun to arrive yet');
  const rendition = window.renditions.get(trackName);
  if (rendition === undefined) throw new StreamsError('NOT_FOUND', 'the stream has no such rendition');
  checkAhead(rendition, directives, window.partTarget);
  if (!(await window.until(() => isReached(rendition, directives), blockMs, signal)))
    throw new StreamsError('TIMEOUT', 'no media came in time');
  return mediaPlaylist(window, rendition, query, { skip: directives.skip, allowed });
}

async function load(
  window: HlsWindow,
  rendition: Rendition,
  kind: string,
  number: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (kind === 'init') return rendition.init(number)?.bytes;
  if (kind === 'segment') {
    const segment = rendition.segment(number);
    return segment && concat(segment.parts.flatMap(({ objects }) => objects));
  }
  // The hinted part: held until it is whole (6.2.6).
  if (number === rendition.hintedPart)
    await window.until(() => rendition.hintedPart !== number || rendition.ended, blockMs, signal);
  const part = rendition.part(number);
  if (part === undefined && number === rendition.hintedPart && !rendition.ended)
    throw new StreamsError('TIMEOUT', 'no media came in time');
  return part && concat(part.objects);
}

function playlistResponse(request: Request, text: string): Response {
  const headers = { ...cors, 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-cache' };
  return textAnswer(request, text, headers, { gzipLevel: 1 });
}

function withoutBody(response: Response): Response {
  return new Response(null, { status: response.status, headers: response.headers });
}
