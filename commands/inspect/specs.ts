import { StreamsError } from '../../src/core/errors.ts';
import type { CommandSpec } from '../command.ts';
import { certificateHashOption } from '../connection/certificate-hash.ts';
import { parseDuration } from '../options/duration.ts';
import { viewerVersionsOption } from '../options/versions.ts';

export const catalogSpec = {
  path: ['inspect', 'catalog'],
  summary: 'Show the catalog of a broadcast, or of a catalog file',
  examples: [
    "streams inspect catalog 'https://127.0.0.1:4443/playback/lv_…?tok=…'",
    "streams inspect catalog 'http://127.0.0.1:8080/vod/<playback id>/catalog.json?tok=…'",
    'streams inspect catalog catalog.json --json',
    "streams inspect catalog 'https://relay.example.com/anon' --namespace rooms/1 --format hang",
  ],
  args: { source: { description: 'playback URL, or URL or path of a JSON file, or -' } },
  options: {
    format: {
      value: 'format',
      description: 'whose catalog: a file tells by itself, a relay is asked for ours',
      choices: ['streams', 'msf', 'hang'],
    },
    namespace: { value: 'a/b', description: 'namespace of the broadcast, for URLs without a token of ours' },
    versions: viewerVersionsOption,
    certHash: certificateHashOption,
  },
} as const satisfies CommandSpec;

export const segmentSpec = {
  path: ['inspect', 'segment'],
  summary: 'Show boxes, samples and codecs of an fMP4 file, and what MSE or HLS players would refuse',
  examples: [
    'streams inspect segment take.mp4',
    'streams inspect segment part-12.m4s --init init.mp4',
    'streams inspect segment https://example.com/seg-1.m4s --json',
  ],
  args: {
    source: { description: 'path or http(s) URL of an init segment, a media segment or a whole file; - is stdin' },
  },
  options: {
    init: { value: 'source', description: 'init segment of a media segment that comes without one' },
    all: { description: 'show every box and fragment' },
  },
} as const satisfies CommandSpec;

export const tokenSpec = {
  path: ['inspect', 'token'],
  summary: 'Show what a token says and allows, and why it would be refused; never its signature',
  examples: [
    'streams inspect token eyJ…',
    'echo "$TOKEN" | streams inspect token - --jwks https://example.com/.well-known/jwks.json',
  ],
  args: { token: { description: 'JWT, or the URL that holds it; - is stdin' } },
  options: {
    jwks: { value: 'source', description: "file or URL of the public keys; without it the profile's server is asked" },
  },
} as const satisfies CommandSpec;

export const trackSpec = {
  path: ['inspect', 'track'],
  summary: 'Measure a live track: groups, objects, sizes, gaps, jitter',
  examples: [
    "streams inspect track 'https://127.0.0.1:4443/playback/lv_…?tok=…' --duration 10s",
    "streams inspect track 'https://relay.example.com/anon' --namespace rooms/1 --track video --json",
  ],
  args: { url: { description: 'playback URL, or the URL of another MoQT relay' } },
  options: {
    track: { value: 'name', description: "track to measure; the catalog's first video when left out" },
    namespace: { value: 'a/b', description: 'namespace of the track, for URLs without a token of ours' },
    duration: { value: 'duration', description: 'stop after this long', parse: parseDuration },
    versions: viewerVersionsOption,
    certHash: certificateHashOption,
  },
} as const satisfies CommandSpec;

export const hlsSpec = {
  path: ['inspect', 'hls'],
  summary: 'Check an (LL-)HLS stream: its playlists, blocking reloads, and the newest segment of each',
  examples: ["streams inspect hls 'http://127.0.0.1:8080/hls/lv_…/index.m3u8?tok=…'"],
  args: { url: { description: 'http(s) URL of a multivariant or media playlist' } },
  options: {
    reloads: { value: 'count', description: 'blocking reloads of each playlist', parse: parseCount, default: '2' },
  },
} as const satisfies CommandSpec;

function parseCount(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new StreamsError('USAGE', `"${text}" is not a count`, { hint: 'a number from 0 to 999' });
}
