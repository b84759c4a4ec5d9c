import type { CommandSpec } from '../command.ts';
import { viewerVersionsOption } from '../options/versions.ts';

export const doctorSpec = {
  path: ['doctor'],
  summary: 'Check this machine and its server: each line says what to do; exit 1 when something fails',
  examples: ['streams doctor', 'streams doctor --json'],
  args: {},
  options: {
    dataDir: { value: 'dir', description: 'data directory of streams serve', default: '~/.local/share/streams' },
    versions: viewerVersionsOption,
  },
} as const satisfies CommandSpec;
