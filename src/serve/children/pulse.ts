export type PulseRule = {
  /** From question to question, ms. */
  everyMs: number;
  /** An answer that takes so long is told, ms. */
  slowMs: number;
  /** Without an answer for so long it hangs, ms. */
  hungMs: number;
};

/** Well over what loading, a checkpoint or a busy machine takes. */
export const defaultPulse: PulseRule = { everyMs: 1000, slowMs: 2500, hungMs: 10_000 };

export type PulseListener = {
  /** It answers again, after so many ms. */
  slow(ms: number): void;
  /** It has not answered for so many ms. Told once; nothing is told after that. */
  hung(ms: number): void;
};

/**
 * Asks a process again and again whether its event loop turns: one that is stopped, or in an endless loop, is alive and serves nobody.
 * `ask` resolves with the answer. What counts is the time in which this process itself was running. Returns what ends it.
 */
export function watchPulse(ask: () => Promise<unknown>, listener: PulseListener, rule = defaultPulse): () => void {
  let silentMs: number | undefined;
  let askedAt = 0;
  let lastTick = performance.now();
  let over = false;

  const answered = (): void => {
    if (over) return;
    silentMs = undefined;
    const ms = performance.now() - askedAt;
    if (ms >= rule.slowMs) listener.slow(Math.round(ms));
  };
  const tick = (): void => {
    const now = performance.now();
    const sinceMs = now - lastTick;
    lastTick = now;
    if (silentMs === undefined) {
      silentMs = 0;
      askedAt = now;
      // One that cannot be asked any more is ending, which its exit tells.
      ask().then(answered, () => {});
      return;
    }
    // After a standstill of our own, as in a suspended job, the answer may be waiting for us.
    silentMs += Math.min(sinceMs, rule.everyMs);
    if (silentMs < rule.hungMs) return;
    end();
    listener.hung(Math.round(now - askedAt));
  };
  const timer = setInterval(tick, rule.everyMs);
  function end(): void {
    over = true;
    clearInterval(timer);
  }
  return end;
}
