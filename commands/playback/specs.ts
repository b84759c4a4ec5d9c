import type { CommandSpec } from '../command.ts';
import { tokenSpec } from '../inspect/specs.ts';
import { parseDuration } from '../options/duration.ts';

export const mintSpec = {
  path: ['playback', 'mint'],
  summary: 'Mint a playback token; prints the relay URL and the watch page',
  examples: [
    'streams playback mint lv_… --ttl 1h',
    'streams playback mint as_… --ttl 24h',
    'streams playback mint lv_… --viewer anna --once',
    'streams playback mint lv_… --rendition video --origin https://example.com --address 192.0.2.0/24',
  ],
  args: {
    id: {
      description: 'id of the input (lv_…) or the asset (as_…); picked from a list where it is left out',
      complete: 'inputs',
      optional: true,
    },
  },
  options: {
    ttl: { value: 'duration', description: 'how long it is good for: 30s to 24h', parse: parseDuration, default: '1h' },
    viewer: { value: 'id', description: 'your id of the viewer, to revoke by' },
    once: { description: 'opens one session, then never again' },
    rendition: { value: 'track', description: 'the only track it opens; may be repeated', repeatable: true },
    origin: { value: 'origin', description: 'the only web page it works on; may be repeated', repeatable: true },
    address: { value: 'cidr', description: 'the only network it works from; may be repeated', repeatable: true },
  },
} as const satisfies CommandSpec;

export const revokeSpec = {
  path: ['playback', 'revoke'],
  summary: 'Revoke the tokens issued until now: one, those of a viewer, or those of an input',
  examples: [
    'streams playback revoke --input lv_… --yes',
    'streams playback revoke --viewer anna',
    'streams playback revoke --jti jti_…',
  ],
  args: {},
  options: {
    jti: { value: 'id', description: 'id of one token: `jti` in streams playback verify' },
    viewer: { value: 'id', description: 'all tokens of this viewer' },
    input: { value: 'id', description: 'all tokens of this input (lv_…)', complete: 'inputs' },
    yes: { description: 'do not ask' },
  },
} as const satisfies CommandSpec;

export const revocationsSpec = {
  path: ['playback', 'revocations'],
  summary: 'List the revocations that still matter',
  examples: ['streams playback revocations'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

/** The same as `inspect token`. */
export const verifySpec = {
  ...tokenSpec,
  path: ['playback', 'verify'],
  summary: 'Check a playback token: claims, rights, signature, and why it would be refused',
  examples: ['streams playback verify eyJ…', 'streams playback verify eyJ… --jwks jwks.json'],
} as const satisfies CommandSpec;
