import { z } from 'zod';

/**
 * A list in which each item stands for itself: those of `type` are taken (`fitting`), another one is left out and told in `refused`: its place
 * and what is wrong with it.
 */
export function eachThatFits<T extends z.ZodType>(type: T, max: number) {
  return (
    z
      // What a client is to send is of the type, so that the compiler finds one that sends other things.
      .array(z.unknown() as z.ZodType<unknown, z.input<T>>)
      .max(max)
      .transform((items) => {
        const fitting: z.output<T>[] = [];
        const refused: { index: number; message: string }[] = [];
        for (const [index, item] of items.entries()) {
          const parsed = type.safeParse(item);
          if (parsed.success) fitting.push(parsed.data);
          else {
            const { path, message } = parsed.error.issues[0]!;
            refused.push({ index, message: `${path.join('.')}: ${message}` });
          }
        }
        return { fitting, refused };
      })
  );
}

/** Words for people, cut to `max` UTF-16 units rather than refused for their length. */
export function words(max: number) {
  return z.string().transform((text) => text.slice(0, max));
}
