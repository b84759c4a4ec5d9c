import { z } from 'zod';
import { endpoint, publicId } from './endpoint.ts';

export const engineId = z.string().regex(/^[0-9A-Za-z_.-]{1,64}$/);

const maxStatsBytes = 4096;
const stats = z
  .record(z.string().max(64), z.unknown())
  .refine((value) => JSON.stringify(value).length <= maxStatsBytes, `more than ${maxStatsBytes} bytes`);

export const liveInput = z.object({
  inputId: publicId,
  /** Figures of the ingest, kept as they come. */
  stats: stats.optional(),
  /** A publisher came to this engine since the last beat, so the input is this engine's now. */
  took: z.boolean().optional(),
});

/** What an engine says of itself: exactly these inputs are live on it, and these have failed since the last beat. */
export const heartbeat = endpoint({
  request: z.object({
    engineId,
    /** Input ids, bare or in objects that say more. */
    live: z
      .array(z.union([publicId, liveInput]))
      .max(10_000)
      .transform((inputs) => inputs.map((input) => (typeof input === 'string' ? { inputId: input } : input))),
    errored: z
      .array(z.object({ inputId: publicId, reason: z.string().max(500) }))
      .max(10_000)
      .default([]),
  }),
  answer: z.object({
    ok: z.literal(true),
    /** Inputs that must not be live: disabled, deleted or unknown. */
    stop: z.array(z.string()),
    /** Inputs that another engine has now. */
    moved: z.array(z.string()),
    /** Live inputs that are to be recorded. */
    record: z.array(z.string()),
  }),
});

/** An engine makes an input its own before it takes what a MoQT publisher brings. CONFLICT while another engine has it. */
export const engineClaim = endpoint({
  request: z.object({ engineId, inputId: publicId }),
  answer: z.object({ ok: z.literal(true) }),
});
