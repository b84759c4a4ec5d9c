import type { Run } from '../command.ts';
import type { environmentSpec } from './specs.ts';

const variables = {
  STREAMS_API_URL: 'control plane; stands before the profile, behind --api-url',
  STREAMS_API_KEY: 'API key; stands before the profile, behind --api-key',
  STREAMS_STREAM_KEY: 'stream key of `streams publish`, where there is no --key-file',
  STREAMS_PROFILE: 'profile to use; stands before `streams config use`, behind --profile',
  STREAMS_CONFIG_DIR: 'folder of profiles.json; default streams in XDG_CONFIG_HOME or ~/.config',
  NODE_EXTRA_CA_CERTS: 'PEM file of certificates that every command trusts as well; the same as --ca-file',
  STREAMS_SERVICE_TOKEN: 'what the processes of `streams serve --only` share, where they run apart',
  STREAMS_PUBLIC_URL:
    'how people reach what `streams serve` runs; behind --public-url. STREAMS_PUBLIC_RELAY_URL, …_RTMP_URL and so on as --public-relay-url, …',
  STREAMS_DATABASE_URL:
    'Postgres that `streams serve` keeps everything in, postgresql://user:password@host/database; default SQLite',
  STREAMS_MASTER_KEY: '32 bytes in hex or base64 that seal the private keys in the store; default the file master.key',
  STREAMS_RETENTION: 'how long the control plane keeps rows: player_events=90d,audit_log=forever',
  STREAMS_ALLOW_PRIVATE_WEBHOOKS: '1: webhooks may lead to private network addresses',
  STREAMS_FFMPEG: 'ffmpeg to use; default ffmpeg-static, then the one in PATH',
  STREAMS_QUIC_NATIVE: 'file of the QUIC socket to load; default the one of this platform',
  STREAMS_LOG_LEVEL: 'how much `streams serve` logs: debug, info, warn, error; default info',
  NO_COLOR: 'any value: no colours',
  TERM: 'dumb: no colours, no pictures drawn in place, no questions',
  CI: 'any value: no questions',
  GITHUB_ACTIONS: 'any value: errors are annotations of the run as well (::error on stderr)',
} as const;

export const run: Run<typeof environmentSpec> = async ({ output }) => {
  const rows = Object.entries(variables).map(([name, meaning]) => ({ name, meaning }));
  await output.result({
    json: { type: 'environment', variables: rows },
    blocks: [
      {
        kind: 'table',
        columns: ['variable', 'meaning'],
        rows: rows.map(({ name, meaning }) => [name, meaning]),
        empty: '',
      },
    ],
  });
};
