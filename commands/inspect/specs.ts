import { certificateHashOption } from '../certificate-hash.ts';
import type { CommandSpec } from '../command.ts';

export const catalogSpec = {
  path: ['inspect', 'catalog'],
  summary: 'Show the catalog of a broadcast, or of a catalog file',
  examples: [
    "streams inspect catalog 'https://127.0.0.1:4443/playback/lv_…?tok=…'",
    'streams inspect catalog catalog.json --json',
  ],
  args: { source: { description: 'playback URL, or path of a JSON file' } },
  options: {
    certHash: certificateHashOption,
  },
} as const satisfies CommandSpec;
