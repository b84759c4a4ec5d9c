/**
 * A signal that aborts after `ms` (reason: TimeoutError) or as soon as one of `signals` does. Instead of AbortSignal.any with
 * AbortSignal.timeout: on Node 20 the garbage collector takes the timeout before it fires. Keeps no process alive.
 */
export function deadlineSignal(ms: number, ...signals: AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const abort = (reason: unknown) => {
    clearTimeout(timer);
    for (const [signal, follow] of followed) signal.removeEventListener('abort', follow);
    controller.abort(reason);
  };
  const followed = signals.map((signal) => [signal, () => abort(signal.reason)] as const);
  const timer = setTimeout(() => abort(new DOMException(`nothing within ${ms} ms`, 'TimeoutError')), ms);
  // A number in browsers.
  (timer as { unref?: () => void }).unref?.();
  for (const [signal, follow] of followed) {
    if (signal.aborted) {
      follow();
      break;
    }
    signal.addEventListener('abort', follow);
  }
  return controller.signal;
}
