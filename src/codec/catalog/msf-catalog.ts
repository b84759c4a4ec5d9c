import { fromUtf8Strict, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { bounded, parseJsonObject } from './json.ts';
import type { Catalog, CatalogTrack } from './streams-catalog.ts';

/**
 * The catalog of the MOQT Streaming Format (draft-ietf-moq-msf, with draft-ietf-moq-cmsf for CMAF): object 0 of every group
 * of the track `catalog`.
 */
export const msfCatalogName = 'catalog';

/** Of the draft that we write; what players read today. */
const version = 'draft-01';

/**
 * UTF-8 JSON. Tracks are in CMAF packaging: each object a moof+mdat, none of them an init segment; so only those whose `init` is
 * known are listed. The init segment stands where MSF wants it (`initDataList`), and where CMSF does (`initData`).
 */
export function encodeMsfCatalog({ live, tracks }: Catalog, generatedAt: number): Uint8Array {
  if (!live) return utf8(JSON.stringify({ version, isComplete: true, tracks: [] }));
  const listed = tracks.filter(({ init }) => init !== undefined);
  return utf8(
    JSON.stringify({
      version,
      generatedAt: Math.floor(generatedAt),
      tracks: listed.map(({ name, kind, codec, width, height, bitrate, framerate, sampleRate, channels, init }) => ({
        name,
        packaging: 'cmaf',
        isLive: true,
        role: kind,
        renderGroup: 1,
        ...(kind === 'video' && { altGroup: 1 }),
        initRef: name,
        codec,
        ...(kind === 'video' ? { framerate, width, height } : {}),
        // Required of audio and video; until it was measured nobody knows.
        bitrate: bitrate ?? 0,
        ...(kind === 'audio' && { samplerate: sampleRate, channelConfig: String(channels ?? 2) }),
        initData: init,
      })),
      initDataList: listed.map(({ name, init }) => ({ id: name, type: 'inline', data: init })),
    }),
  );
}

/** The tracks of audio and video of such a catalog that are in CMAF or LOC packaging. Throws MALFORMED. */
export function decodeMsfCatalog(bytes: Uint8Array): Catalog {
  const root = parseJsonObject(fromUtf8Strict(bounded(bytes)), 'MSF catalog');
  const said = root.version;
  if (said !== 1 && typeof said !== 'string') throw malformed('no version');
  const inits = new Map(
    list(root.initDataList).map((entry) => [entry.id, entry.type === 'inline' ? entry.data : undefined]),
  );
  const tracks = list(root.tracks).flatMap((raw): CatalogTrack[] => {
    const kind = raw.role;
    if (kind !== 'video' && kind !== 'audio') return [];
    if (typeof raw.name !== 'string' || typeof raw.codec !== 'string') throw malformed('a track without name or codec');
    const init = raw.initData ?? inits.get(raw.initRef);
    const channels = Number.parseInt(String(raw.channelConfig), 10);
    return [
      {
        name: raw.name,
        kind,
        codec: raw.codec,
        ...numbers(raw, ['width', 'height', 'bitrate', 'framerate']),
        ...(typeof raw.samplerate === 'number' && { sampleRate: raw.samplerate }),
        ...(Number.isFinite(channels) && { channels }),
        ...(typeof init === 'string' && { init }),
      },
    ];
  });
  return { version: 1, live: root.isComplete !== true, tracks };
}

function list(value: unknown): Record<string, unknown>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > 256) throw malformed('`tracks` or `initDataList`');
  return value.map((entry) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw malformed('an entry is no object');
    return entry as Record<string, unknown>;
  });
}

function numbers<K extends string>(raw: Record<string, unknown>, names: readonly K[]): Partial<Record<K, number>> {
  const found: Partial<Record<K, number>> = {};
  for (const name of names) {
    const value = raw[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) found[name] = value;
  }
  return found;
}

function malformed(what: string): StreamsError {
  return new StreamsError('MALFORMED', `MSF catalog: ${what}`);
}
