import { z } from 'zod';
import { eachThatFits, words } from '../../core/lenient.ts';
import { endpoint, publicId } from './endpoint.ts';

export const engineId = z.string().regex(/^[0-9A-Za-z_.-]{1,64}$/);

const maxStatsBytes = 4096;
/** Figures that are too many, or none, are left out: the input is live without them. */
const stats = z
  .record(z.string().max(64), z.unknown())
  .refine((value) => JSON.stringify(value).length <= maxStatsBytes, `more than ${maxStatsBytes} bytes`)
  .optional()
  .catch(undefined);

const bareInput = publicId.transform((inputId) => ({ inputId }));
export const liveInput = z.object({
  inputId: publicId,
  /** Figures of the ingest, kept as they come. */
  stats,
  /** A publisher came to this engine since the last beat, so the input is this engine's now. */
  took: z.boolean().optional().catch(undefined),
});

const erroredInput = z.object({ inputId: publicId, reason: words(500) });
const maxInputs = 10_000;

/**
 * What an engine says of itself: exactly these inputs are live on it, and these have failed since the last beat. What it
 * says of one input never keeps the engine from being heard.
 */
export const heartbeat = endpoint({
  request: z.object({
    engineId,
    /** Input ids, bare or in objects that say more. */
    live: eachThatFits(z.union([bareInput, liveInput]), maxInputs).transform(({ fitting }) => fitting),
    errored: eachThatFits(erroredInput, maxInputs)
      .transform(({ fitting }) => fitting)
      .prefault([]),
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
  // As many inputs, with all that may be said of them.
  maxBytes: maxInputs * (maxStatsBytes + 1024),
});

/** An engine makes an input its own before it takes what a MoQT publisher brings. CONFLICT while another engine has it. */
export const engineClaim = endpoint({
  request: z.object({ engineId, inputId: publicId }),
  answer: z.object({ ok: z.literal(true) }),
});
