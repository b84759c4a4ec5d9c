import { isIP } from 'node:net';
import { z } from 'zod';
import type { TokenRules } from '../../auth/playback-token.ts';
import { time, viewerId } from '../fields.ts';

/** What a minted token may be bound to; the same for live inputs and assets. */
export const mintRules = {
  ttlSeconds: z.number().optional().describe('Clamped to 30 s – 24 h; 1 h when left out'),
  notBefore: time.optional().describe('Not good before; at most 7 days ahead. The lifetime counts from then'),
  viewerId: viewerId.optional().describe('`sub` of the token, to revoke by; the input id when left out'),
  once: z.boolean().default(false).describe('Opens one session, then never again'),
  renditions: z
    .array(z.string().regex(/^[0-9A-Za-z._/-]{1,64}$/, 'not a track name'))
    .min(1)
    .max(32)
    .optional()
    .describe('The only tracks it opens, e.g. video/720p and audio; all when left out'),
  origins: z
    .array(z.string().max(256).refine(isOrigin, 'not an origin such as https://example.com'))
    .min(1)
    .max(16)
    .optional()
    .describe('The only web pages it works on'),
  addresses: z
    .array(z.string().max(64).refine(isAddressRule, 'not an IP address or CIDR range'))
    .min(1)
    .max(32)
    .optional()
    .describe('The only network addresses it works from'),
};

export function tokenRules(input: z.output<z.ZodObject<typeof mintRules>>): TokenRules {
  const { ttlSeconds, notBefore, viewerId, once, renditions, origins, addresses } = input;
  return {
    ttlSeconds,
    notBefore: notBefore === undefined ? undefined : Date.parse(notBefore),
    viewerId,
    once,
    tracks: renditions,
    origins,
    addresses,
  };
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function isAddressRule(text: string): boolean {
  const [host = '', bits, ...rest] = text.split('/');
  const version = isIP(host);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
