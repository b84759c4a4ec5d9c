import { fromUtf8Strict, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { bounded, parseJsonObject } from './json.ts';
import type { Catalog, CatalogTrack } from './streams-catalog.ts';

/** The catalog of hang (draft-lcurley-moq-hang): the one object of every group of the track `catalog.json`. */
export const hangCatalogName = 'catalog.json';

/**
 * UTF-8 JSON. Tracks are in the `cmaf` container: each object a moof+mdat, the init segment in the catalog; so only those whose
 * `init` is known are listed. Fields are those of WebCodecs' decoder configurations.
 */
export function encodeHangCatalog({ live, tracks }: Catalog): Uint8Array {
  const listed = live ? tracks.filter(({ init }) => init !== undefined) : [];
  const video = listed.filter(({ kind }) => kind === 'video');
  const audio = listed.filter(({ kind }) => kind === 'audio');
  const whole = (value: number | undefined) => (value === undefined ? undefined : Math.round(value));
  return utf8(
    JSON.stringify({
      ...(video.length > 0 && {
        video: {
          renditions: Object.fromEntries(
            video.map(({ name, codec, width, height, framerate, bitrate, init }) => [
              name,
              {
                codec,
                container: { kind: 'cmaf', init },
                codedWidth: width,
                codedHeight: height,
                framerate,
                bitrate: whole(bitrate),
                jitter: whole(framerate && 1000 / framerate),
              },
            ]),
          ),
        },
      }),
      ...(audio.length > 0 && {
        audio: {
          renditions: Object.fromEntries(
            audio.map(({ name, codec, sampleRate, channels, bitrate, init }) => [
              name,
              {
                codec,
                container: { kind: 'cmaf', init },
                sampleRate: sampleRate ?? 48_000,
                numberOfChannels: channels ?? 2,
                bitrate: whole(bitrate),
              },
            ]),
          ),
        },
      }),
    }),
  );
}

/** The renditions of such a catalog; `init` of those in the `cmaf` container. Throws MALFORMED. */
export function decodeHangCatalog(bytes: Uint8Array): Catalog {
  const root = parseJsonObject(fromUtf8Strict(bounded(bytes)), 'hang catalog');
  const tracks = (['video', 'audio'] as const).flatMap((kind) => {
    const section = root[kind];
    if (section === undefined) return [];
    const renditions = record(record(section, kind).renditions, `${kind}.renditions`);
    const entries = Object.entries(renditions);
    if (entries.length > 256) throw malformed(`${entries.length} renditions`);
    return entries.map(([name, raw]) => rendition(name, kind, record(raw, name)));
  });
  return { version: 1, live: true, tracks };
}

function rendition(name: string, kind: 'video' | 'audio', raw: Record<string, unknown>): CatalogTrack {
  if (typeof raw.codec !== 'string') throw malformed(`${name} has no codec`);
  const { init } = raw.container === undefined ? {} : record(raw.container, 'container');
  const number = (key: string) => (typeof raw[key] === 'number' ? (raw[key] as number) : undefined);
  const fields = {
    width: number('codedWidth'),
    height: number('codedHeight'),
    bitrate: number('bitrate'),
    framerate: number('framerate'),
    sampleRate: number('sampleRate'),
    channels: number('numberOfChannels'),
    init: typeof init === 'string' ? init : undefined,
  };
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { name, kind, codec: raw.codec, ...known };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is no object`);
  return value as Record<string, unknown>;
}

function malformed(what: string): StreamsError {
  return new StreamsError('MALFORMED', `hang catalog: ${what}`);
}
