import type { CommandSpec } from '../command.ts';
import { certificateHashOption } from '../connection/certificate-hash.ts';
import { parseDuration } from '../options/duration.ts';
import { viewerVersionsOption } from '../options/versions.ts';

export const watchSpec = {
  path: ['watch'],
  summary: 'Follow a broadcast: groups, objects, bitrate, latency and gaps of each track',
  examples: [
    "streams watch 'https://127.0.0.1:4443/playback/lv_…?tok=…'",
    "streams watch 'https://127.0.0.1:4443/playback/lv_…?tok=…' --duration 10s --out take.mp4 --json",
    "streams watch 'https://127.0.0.1:4443/playback/lv_…?tok=…' --rendition 480p",
  ],
  args: { url: { description: 'playback URL of the relay, as `streams playback mint` prints it' } },
  options: {
    duration: { value: 'duration', description: 'stop after this long', parse: parseDuration },
    out: { value: 'file', description: 'write the media into a playable .mp4' },
    track: { value: 'name', description: 'only this track; may be repeated', repeatable: true },
    rendition: { value: 'name', description: 'this picture instead of the tallest: 480p' },
    versions: viewerVersionsOption,
    certHash: certificateHashOption,
  },
} as const satisfies CommandSpec;
