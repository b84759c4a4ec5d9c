import { z } from 'zod';

/**
 * One endpoint of control's internal API: the shape of what is asked and of what is answered. Only control imports these files
 * for their values; clients import their types, so that a relay does not load a schema library.
 */
export type Endpoint<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> = {
  readonly request: Request;
  readonly answer: Answer;
  /** Of the request's body, where it is more than control takes otherwise. */
  readonly maxBytes?: number;
};

export function endpoint<Request extends z.ZodType, Answer extends z.ZodType>(
  shapes: Endpoint<Request, Answer>,
): Endpoint<Request, Answer> {
  return shapes;
}

/** The answer where there is nothing to say. */
export const done = z.object({ ok: z.literal(true) });

/** An `lv_…`, `as_…` or other public id. */
export const publicId = z.string().max(64);
export const remoteAddress = z.string().max(128);
/** Milliseconds since the Unix epoch. */
export const timestampMs = z.int().min(0);
