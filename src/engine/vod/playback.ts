import { Readable } from 'node:stream';
import { allowsTrack } from '../../access/grant.ts';
import type { VerifiedTokens } from '../../access/verified-tokens.ts';
import { encodeCatalog } from '../../codec/catalog/streams-catalog.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { HttpError } from '../../core/http-status.ts';
import { isId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { errorResponse } from '../http/error-response.ts';
import { readPreflight, textAnswer } from '../http/player-answers.ts';
import { type AssetIndex, type ByteRange, readIndex, type TrackIndex, vodCatalog } from './asset-index.ts';
import type { MediaStore } from './media-store.ts';
import { vodMediaPlaylist, vodMultivariant } from './vod-playlists.ts';

export type VodContext = { readonly tokens: VerifiedTokens; readonly remoteAddress: string };

const cors = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'content-length, content-range, date, age',
};
const pathPattern =
  /^\/(?:hls|vod)\/((?:as|pb)_[A-Za-z0-9]{22})\/((?:[a-z0-9][A-Za-z0-9_.-]{0,63}\/){0,3})(index\.m3u8|catalog\.json|(init|segment)-(\d{1,9})\.(?:m4s|mp4))$/;
const rememberedAssets = 64;

/** True for what `VodPlayback` answers: everything below `/vod/`, and `/hls/<id>/` of an asset. */
export function isVodPath(pathname: string): boolean {
  const [, root, id = ''] = pathname.split('/');
  return root === 'vod' || (root === 'hls' && (isId('as', id) || isId('pb', id)));
}

/** Ready assets over HTTP: HLS playlists of type VOD, their segments, and the catalog. */
export class VodPlayback {
  readonly #store: MediaStore;
  readonly #logger: Logger;
  /** Oldest first. */
  readonly #indexes = new Map<string, AssetIndex>();

  constructor(store: MediaStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** The asset was deleted, or packaged anew. */
  forget(assetId: string): void {
    this.#indexes.delete(assetId);
  }

  /** Never rejects. */
  async handle(request: Request, context: VodContext): Promise<Response> {
    if (request.method === 'OPTIONS') return readPreflight(request, cors);
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw new HttpError(405, 'UNSUPPORTED', `assets are read: ${request.method} does nothing here`);
      return await this.#answer(request, context);
    } catch (thrown) {
      const error = toStreamsError(thrown);
      if (error.code === 'INTERNAL') this.#logger.error('VOD request failed', { detail: error.message });
      return errorResponse(error, cors);
    }
  }

  async #answer(request: Request, { tokens, remoteAddress }: VodContext): Promise<Response> {
    const url = new URL(request.url);
    const [, id, folder = '', file, kind, number] = pathPattern.exec(url.pathname) ?? [];
    if (id === undefined || file === undefined) throw new StreamsError('NOT_FOUND', 'there is nothing here');
    const token = url.searchParams.get('tok') ?? '';
    const origin = request.headers.get('origin') ?? undefined;
    const grant = await tokens.grant(token, id, { remoteAddress, origin });
    const index = await this.#index(id);
    const query = `?tok=${encodeURIComponent(token)}`;
    const allowed = (name: string) => allowsTrack(grant, name);
    if (folder === '') {
      if (file === 'index.m3u8') return playlist(request, vodMultivariant(index, query, allowed));
      if (file === 'catalog.json') return text(request, await this.#catalog(index, allowed), 'application/json');
      throw new StreamsError('NOT_FOUND', 'there is nothing here');
    }
    const name = folder.slice(0, -1);
    const track = allowed(name) ? index.tracks.find(({ description }) => description.name === name) : undefined;
    if (track === undefined) throw new StreamsError('NOT_FOUND', 'the asset has no such track');
    if (file === 'index.m3u8') return playlist(request, vodMediaPlaylist(track, query));
    const range = kind === undefined ? undefined : (kind === 'init' ? track.inits : track.segments)[Number(number)];
    if (range === undefined) throw new StreamsError('NOT_FOUND', 'the asset has no such segment');
    return this.#bytes(request, index.assetId, track, range);
  }

  async #index(id: string): Promise<AssetIndex> {
    const assetId = await this.#store.find(id);
    const known = assetId === undefined ? undefined : this.#indexes.get(assetId);
    const index = known ?? (assetId === undefined ? undefined : await readIndex(this.#store, assetId));
    if (assetId === undefined || index === undefined)
      throw new StreamsError('STREAM_OFF_AIR', 'the asset is not ready yet, or was deleted');
    this.#indexes.delete(assetId);
    this.#indexes.set(assetId, index);
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= rememberedAssets) break;
      this.#indexes.delete(oldest);
    }
    return index;
  }

  async #catalog(index: AssetIndex, allowed: (name: string) => boolean): Promise<string> {
    const tracks = index.tracks.filter(({ description }) => allowed(description.name));
    const withInits = tracks.map(async (track) => ({ track, init: await this.#load(index.assetId, track) }));
    return fromUtf8(encodeCatalog(vodCatalog(await Promise.all(withInits))));
  }

  async #load(assetId: string, { file, inits }: TrackIndex): Promise<Uint8Array> {
    const { offset, length } = inits[0]!;
    const chunks: Buffer[] = [];
    for await (const chunk of this.#store.read(assetId, file, offset, offset + length)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  #bytes(request: Request, assetId: string, { file }: TrackIndex, { offset, length }: ByteRange): Response {
    const headers = {
      ...cors,
      'content-type': 'video/mp4',
      'content-length': String(length),
      'cache-control': 'private, max-age=3600, immutable',
    };
    if (request.method === 'HEAD') return new Response(null, { headers });
    const stream = this.#store.read(assetId, file, offset, offset + length);
    return new Response(Readable.toWeb(stream) as unknown as ReadableStream, { headers });
  }
}

function playlist(request: Request, body: string): Response {
  return text(request, body, 'application/vnd.apple.mpegurl');
}

function text(request: Request, body: string, type: string): Response {
  return textAnswer(request, body, { ...cors, 'content-type': type, 'cache-control': 'private, max-age=60' });
}
