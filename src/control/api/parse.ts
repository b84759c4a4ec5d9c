import type { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';

/** Throws INVALID_ARGUMENT that names the field and the rule, not the value. */
export function parse<T extends z.ZodType>(type: T, body: unknown): z.output<T> {
  const parsed = type.safeParse(body);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0]!;
  throw new StreamsError('INVALID_ARGUMENT', `${first.path.join('.')}: ${first.message}`);
}
