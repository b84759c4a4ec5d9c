/** Told of an error of the library itself; the session that it happened in is closed, and made anew. */
export type OnFault = (error: unknown) => void;

/** By default such an error reaches the page's, or the program's, own listeners for errors, where there are any: `reportError`. */
export function reportFault(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  reportError?.(error);
}
