import { z } from 'zod';
import { words } from '../../core/lenient.ts';
import { endpoint } from './endpoint.ts';

/**
 * The auth server's side of moq-relay 0.15 and later (`[auth] url`). Its contract, not ours: members that we do not use are let
 * through. An `end` is answered with 204 and no body.
 */
export const relayAuth = endpoint({
  request: z.object({
    id: z.string().regex(/^[0-9a-f]{1,64}$/i),
    event: z.enum(['connect', 'revalidate', 'end']),
    node: z.string().max(128).default(''),
    transport: z.string().max(32),
    remote: z.string().max(128).optional(),
    path: z.string().max(16_384),
    query: z.string().max(16_384).optional(),
    token: z.object({ kind: z.int(), value: z.string().max(16_384) }).optional(),
    tls: z.unknown().optional(),
    reason: words(200).default('unknown'),
    duration: z.number().min(0).default(0),
    bytes: z.object({ sent: z.number().default(0), received: z.number().default(0) }).prefault({}),
  }),
  answer: z.object({
    root: z.string(),
    publish: z.array(z.string()),
    subscribe: z.array(z.string()),
    /** Unix seconds. */
    expires: z.number(),
    /** Seconds after which the relay asks again. */
    revalidate: z.number(),
    peer: z.boolean().optional(),
  }),
});
