import { StreamsError } from '../../src/core/errors.ts';
import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';

/** Seconds since the Unix epoch, from such a number or a time from now. Throws USAGE. */
function parseExpiry(text: string): number {
  if (/^\d{9,12}$/.test(text)) return Number(text);
  if (/^\d+$/.test(text)) {
    throw new StreamsError('USAGE', `"${text}" is neither a time from now nor a Unix timestamp`, {
      hint: '--expires 1h',
    });
  }
  return Math.floor((Date.now() + parseDuration(text)) / 1000);
}

const root = { value: 'path', description: 'root of the paths', default: 'none' } as const;
const key = { value: 'file', description: 'key file (JWK); - for standard input' } as const;

export const generateSpec = {
  path: ['relay-token', 'generate'],
  summary: 'Make a key that signs and verifies relay tokens',
  examples: [
    'streams relay-token generate --out root.jwk',
    'streams relay-token generate --algorithm ES256 --out private.jwk --public public.jwk',
    'streams relay-token generate --algorithm EdDSA --out-dir private --public-dir keys --root project --publish live',
  ],
  args: {},
  options: {
    algorithm: {
      value: 'alg',
      description: 'HS256, HS384, HS512, RS256 … PS512, ES256, ES384 or EdDSA',
      default: 'HS256',
    },
    id: { value: 'kid', description: 'id of the key', default: 'random' },
    out: { value: 'file', description: 'where to write it; without it, it is printed' },
    outDir: { value: 'dir', description: 'write it there as {kid}.jwk' },
    public: { value: 'file', description: 'where to write the public half' },
    publicDir: { value: 'dir', description: 'write the public half there as {kid}.jwk' },
    root,
    publish: {
      value: 'path',
      description: 'its tokens may publish at most below this; may be repeated',
      repeatable: true,
    },
    subscribe: {
      value: 'path',
      description: 'its tokens may subscribe at most below this; may be repeated',
      repeatable: true,
    },
    force: { description: 'replace files that exist' },
  },
} as const satisfies CommandSpec;

export const signSpec = {
  path: ['relay-token', 'sign'],
  summary: 'Make a token that says what its bearer may publish and subscribe to',
  examples: [
    'streams relay-token sign --key root.jwk --root demo --publish my-stream --subscribe "" --expires 1h',
    'streams relay-token sign --key root.jwk --subscribe "" --out viewer.jwt',
    'streams relay-token sign --key root.jwk --cluster --publish "" --subscribe "" --out cluster.jwt',
  ],
  args: {},
  options: {
    key,
    root,
    publish: {
      value: 'path',
      description: "may publish here and below, '' for all; may be repeated",
      repeatable: true,
    },
    subscribe: {
      value: 'path',
      description: "may subscribe here and below, '' for all; may be repeated",
      repeatable: true,
    },
    cluster: { description: 'its bearer is a relay of the cluster' },
    expires: {
      value: 'time',
      description: 'from now (1h, 2d), or a Unix timestamp; without it the token never expires',
      parse: parseExpiry,
    },
    out: { value: 'file', description: 'where to write it; without it, it is printed' },
  },
} as const satisfies CommandSpec;

export const verifySpec = {
  path: ['relay-token', 'verify'],
  summary: 'Check a token and show what it allows',
  examples: [
    'streams relay-token verify --key root.jwk --in viewer.jwt',
    'streams relay-token verify --key public.jwk < viewer.jwt',
  ],
  args: {},
  options: { key, in: { value: 'file', description: 'the token; - for standard input', default: '-' } },
} as const satisfies CommandSpec;
