export type LivenessOptions = {
  /** ms. */
  idleTimeoutMs: number;
  keepAliveMs: number;
  handshakeTimeoutMs: number;
  ping(): void;
  expired(reason: string): void;
};

/** A peer that wants less gets no more pings for it. */
const leastPeerIdleMs = 1000;

/** Tells when a peer is gone: one timer a connection. */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #startedAt = performance.now();
  #lastHeardAt = this.#startedAt;
  #idleTimeoutMs: number;
  #greeted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#arm(options.handshakeTimeoutMs);
  }

  /** The peer has shown that it is there: something came, or it took what we had to say. */
  heard(): void {
    this.#lastHeardAt = performance.now();
  }

  /** The handshake is over. The shorter of both ends' idle timeouts counts (RFC 9000 10.1); 0: the peer has none. */
  greeted(peerIdleTimeoutMs: number): void {
    if (peerIdleTimeoutMs > 0) {
      this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, Math.max(peerIdleTimeoutMs, leastPeerIdleMs));
    }
    this.#greeted = true;
    clearTimeout(this.#timer);
    this.#arm(this.#pingAfterMs());
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #pingAfterMs(): number {
    return Math.min(this.#options.keepAliveMs, this.#idleTimeoutMs / 3);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#tick(), ms);
  }

  #tick(): void {
    const silentMs = performance.now() - this.#lastHeardAt;
    if (!this.#greeted || silentMs >= this.#idleTimeoutMs) {
      this.#options.expired(this.#greeted ? 'idle timeout' : 'no transport parameters in time');
      return;
    }
    const pingAfterMs = this.#pingAfterMs();
    // Half of it: timers come a little early or late.
    if (silentMs >= pingAfterMs / 2) this.#options.ping();
    this.#arm(Math.min(pingAfterMs, this.#idleTimeoutMs - silentMs));
  }
}
