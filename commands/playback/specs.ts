import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../duration.ts';

export const mintSpec = {
  path: ['playback', 'mint'],
  summary: 'Mint a playback token; prints the relay URL and the watch page',
  examples: ['streams playback mint lv_… --ttl 1h'],
  args: { id: { description: 'id of the input (lv_…)' } },
  options: {
    ttl: { value: 'duration', description: 'how long it is good for: 30s to 24h', parse: parseDuration, default: '1h' },
  },
} as const satisfies CommandSpec;
