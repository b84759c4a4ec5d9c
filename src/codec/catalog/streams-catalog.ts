import { fromUtf8Strict, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** What a broadcast or an asset consists of; object 0 of every group of the `.catalog` track (docs: design, the wire). */
export type Catalog = {
  version: 1;
  /** false for VOD and for a broadcast that has ended. */
  live: boolean;
  tracks: CatalogTrack[];
};

export type CatalogTrack = {
  /** MoQT track name below the broadcast's namespace: `video/1080p`, `video/720p`, `audio`, … */
  name: string;
  kind: 'video' | 'audio';
  /** RFC 6381 codecs parameter, as MediaSource.isTypeSupported takes it: `avc1.64001f`, `mp4a.40.2`. */
  codec: string;
  /** Pixels. */
  width?: number;
  height?: number;
  /** Bits per second. */
  bitrate?: number;
  /** Frames per second. */
  framerate?: number;
  /** Hertz. */
  sampleRate?: number;
  channels?: number;
  /** Base64 of ftyp+moov; present for VOD, optional for live (object 0 of every group is the same bytes). */
  init?: string;
};

/** Name of the catalog track. */
export const catalogTrackName = '.catalog';

const maxCatalogBytes = 1 << 20;
const maxTracks = 64;
const maxNameLength = 128;
const maxInitLength = 256 * 1024;

const numberFields = ['width', 'height', 'bitrate', 'framerate', 'sampleRate', 'channels'] as const;

/** UTF-8 JSON with the fields in a fixed order, so that equal catalogs are equal bytes. */
export function encodeCatalog(catalog: Catalog): Uint8Array {
  const tracks = catalog.tracks.map((track) => ({
    name: track.name,
    kind: track.kind,
    codec: track.codec,
    width: track.width,
    height: track.height,
    bitrate: track.bitrate,
    framerate: track.framerate,
    sampleRate: track.sampleRate,
    channels: track.channels,
    init: track.init,
  }));
  return utf8(JSON.stringify({ version: 1, live: catalog.live, tracks }));
}

/** At most 1 MiB and 64 tracks; fields we do not know are dropped. Throws MALFORMED, or UNSUPPORTED for another version. */
export function decodeCatalog(bytes: Uint8Array): Catalog {
  if (bytes.length > maxCatalogBytes) throw malformed(`${bytes.length} bytes`);
  const raw = record(parseJson(fromUtf8Strict(bytes)), 'catalog');
  if (raw.version !== 1) {
    if (typeof raw.version === 'number') throw new StreamsError('UNSUPPORTED', `catalog version ${raw.version}`);
    throw malformed('no version');
  }
  if (typeof raw.live !== 'boolean') throw malformed('`live` is not a boolean');
  if (!Array.isArray(raw.tracks) || raw.tracks.length > maxTracks) throw malformed('`tracks`');
  const tracks = raw.tracks.map(decodeTrack);
  if (new Set(tracks.map((track) => track.name)).size !== tracks.length) throw malformed('two tracks of one name');
  return { version: 1, live: raw.live, tracks };
}

function decodeTrack(value: unknown): CatalogTrack {
  const raw = record(value, 'track');
  const kind = raw.kind;
  if (kind !== 'video' && kind !== 'audio') throw malformed('track kind');
  const track: CatalogTrack = { name: text(raw.name, 'track name'), kind, codec: text(raw.codec, 'track codec') };
  for (const field of numberFields) {
    const number = raw[field];
    if (number === undefined) continue;
    if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) throw malformed(`track ${field}`);
    track[field] = number;
  }
  if (raw.init !== undefined) {
    if (typeof raw.init !== 'string' || raw.init.length > maxInitLength || !/^[A-Za-z0-9+/]*={0,2}$/.test(raw.init))
      throw malformed('track init');
    track.init = raw.init;
  }
  return track;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new StreamsError('MALFORMED', 'catalog: not JSON', { cause });
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxNameLength) throw malformed(what);
  return value;
}

function malformed(what: string): StreamsError {
  return new StreamsError('MALFORMED', `catalog: ${what}`);
}
