export type Deadline = {
  /** Aborts when the time is up (reason: TimeoutError), or as soon as the signal it follows does. */
  readonly signal: AbortSignal;
  /** The work is over: nothing is listened to and waited for any more. */
  clear(): void;
};

/**
 * `clear` it when the work is over: what it follows may live as long as the process. Instead of AbortSignal.any with
 * AbortSignal.timeout: on Node 20 the garbage collector takes the timeout before it fires. Keeps no process alive.
 */
export function startDeadline(ms: number, followed?: AbortSignal): Deadline {
  const controller = new AbortController();
  const clear = (): void => {
    clearTimeout(timer);
    followed?.removeEventListener('abort', follow);
  };
  const abort = (reason: unknown): void => {
    clear();
    controller.abort(reason);
  };
  const follow = (): void => abort(followed?.reason);
  const timer = setTimeout(() => abort(new DOMException(`nothing within ${ms} ms`, 'TimeoutError')), ms);
  // A number in browsers.
  (timer as { unref?: () => void }).unref?.();
  if (followed?.aborted) follow();
  else followed?.addEventListener('abort', follow);
  return { signal: controller.signal, clear };
}

/** `work` with a signal that aborts after `ms`, or with `followed`, until it settles. */
export async function withDeadline<T>(
  ms: number,
  followed: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(ms, followed);
  try {
    return await work(deadline.signal);
  } finally {
    deadline.clear();
  }
}
