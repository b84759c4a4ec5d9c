import { z } from 'zod';
import { done, endpoint, publicId } from './endpoint.ts';

/** A one-time token is used now. CONFLICT when it was used before. */
export const tokenRedeem = endpoint({
  request: z.object({ org: publicId, jti: z.string().min(1).max(256), expiresAt: z.number() }),
  answer: done,
});

/** A number in a query; anything else counts as 0. */
const queryNumber = z.preprocess((text) => (/^\d{1,15}$/.test(String(text)) ? Number(text) : 0), z.number());

/** The answer is held up to `wait` seconds while there is nothing newer than the version `seen`. */
export const revocations = endpoint({
  request: z.object({
    /** `until` of the answer before. */
    since: queryNumber,
    seen: z.string().max(256).optional(),
    /** Seconds. */
    wait: queryNumber,
    /** `next` of the page before. */
    before: z.string().max(256).optional(),
  }),
  answer: z.object({
    /** Of the first page only, and so is `keys`. */
    version: z.string().optional(),
    /** Another one when the signing keys have changed. */
    keys: z.string().optional(),
    /** What `since` of the next request is to be, ms since the Unix epoch. */
    until: z.number(),
    /** There are older ones, to be asked for with it. */
    next: z.string().optional(),
    /** Newest first. */
    revocations: z.array(
      z.object({
        kind: z.enum(['jti', 'viewer', 'input', 'publish']),
        org: z.string(),
        value: z.string(),
        at: z.number(),
        expiresAt: z.number(),
      }),
    ),
  }),
});

/** What a relay or an engine that runs alone has to know before it can check tokens. */
export const installation = endpoint({
  request: z.object({}),
  answer: z.object({
    /** `iss` of playback tokens. */
    issuer: z.string(),
  }),
});
