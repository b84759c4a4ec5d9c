import type { CommandSpec } from '../command.ts';
import { congestionControlOption } from '../options/congestion-control.ts';
import { parseSessionCount } from '../options/session-count.ts';
import { relayVersionsOption } from '../options/versions.ts';

export const relaySpec = {
  path: ['relay'],
  summary: 'Run a MoQT relay alone, from a relay.toml as moq-relay has it',
  examples: [
    'streams relay relay.toml',
    "streams relay --listen 127.0.0.1:4443 --auth-public ''",
    'streams relay relay.toml --listen 0.0.0.0:443 --tls-generate relay.example.com',
  ],
  args: { config: { description: 'relay.toml (see relay.example.toml)', optional: true } },
  options: {
    listen: {
      value: 'address',
      description: 'QUIC (UDP), and HTTP on TCP unless the file says where',
      default: '127.0.0.1:4443',
    },
    versions: relayVersionsOption,
    tlsGenerate: {
      value: 'host',
      description: 'make a self-signed certificate for this name; may be repeated',
      repeatable: true,
    },
    authKey: { value: 'file', description: 'key that verifies tokens (JWK file or URL)' },
    authPublic: {
      value: 'path',
      description: "where no token is needed, '' for everywhere; may be repeated",
      repeatable: true,
    },
    maxSessions: {
      value: 'count',
      description: 'publishers and viewers at once; more are refused',
      parse: parseSessionCount,
      default: '10000',
    },
    congestionControl: congestionControlOption,
    drainTo: { value: 'url', description: 'relay that sessions are sent to when this one stops (GOAWAY)' },
    dataDir: {
      value: 'dir',
      description: 'where the generated certificate is kept',
      default: '~/.local/share/streams/relay',
    },
  },
} as const satisfies CommandSpec;
