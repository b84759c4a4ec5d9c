import { z } from 'zod';
import type { StreamsError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import { parseLadder } from '../../core/ladder.ts';
import { scopes } from '../context.ts';

/** The org of the key; when given it must be that one. */
export const orgId = z.string().max(64).optional().describe("The key's own org; may be left out");

export const inputId = z
  .string()
  .refine((text) => isId('lv', text), 'not a live input id (lv_…)')
  .describe('Live input, lv_…');
export const signingKeyId = z
  .string()
  .refine((text) => isId('rk', text), 'not a signing key id (rk_…)')
  .describe('Signing key, rk_…');
export const apiKeyId = z
  .string()
  .refine((text) => isId('ak', text), 'not an API key id (ak_…, without live)')
  .describe('API key, ak_…');

export const assetId = z
  .string()
  .refine((text) => isId('as', text), 'not an asset id (as_…)')
  .describe('Asset, as_…');
export const webhookId = z
  .string()
  .refine((text) => isId('wh', text), 'not a webhook id (wh_…)')
  .describe('Webhook, wh_…');
export const deliveryId = z
  .string()
  .refine((text) => isId('whd', text), 'not a delivery id (whd_…)')
  .describe('Delivery of a webhook, whd_…');

export const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters');

/** Renditions of a live input. */
export const ladder = z
  .string()
  .max(200)
  .superRefine((text, issues) => {
    try {
      parseLadder(text);
    } catch (error) {
      const { message, hint } = error as StreamsError;
      issues.addIssue({ code: 'custom', message: `${message}; it is ${hint}` });
    }
  })
  .describe('Renditions beside the source: `none`, `auto`, or as in `720p:2500k,480p`');

/** The caller's name for who watches. */
export const viewerId = z
  .string()
  .min(1)
  .max(128)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters');

/** ISO 8601 in UTC. */
export const time = z.iso.datetime();

export const scope = z.enum(scopes);

export const page = {
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before'),
  limit: z.int().min(1).max(200).default(50),
};

export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
