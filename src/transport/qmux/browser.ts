import { applicationProtocol, offeredSubprotocols } from '../../codec/qmux/subprotocol.ts';
import { StreamsError } from '../../core/errors.ts';
import { redactUrl } from '../../core/log.ts';
import type { Transport } from '../transport.ts';
import { greetedTransport } from './greeted.ts';
import type { QmuxLimits } from './limits.ts';
import { QmuxTransport } from './qmux-transport.ts';
import type { QmuxSocket, QmuxSocketEvents } from './socket.ts';

export type ConnectQmuxBrowserOptions = {
  /** `ws:` or `wss:`, with path and query. */
  url: string;
  /** MoQT versions, best first. */
  versions: readonly string[];
  signal?: AbortSignal;
  /** For the whole of it; default 10 000. */
  timeoutMs?: number;
  limits?: QmuxLimits;
};

/**
 * QMux over the platform's WebSocket (browsers, Deno, Node 22). Throws INVALID_ARGUMENT, RELAY_UNREACHABLE (a browser does
 * not tell why, so also for a refusal), TIMEOUT, INTERRUPTED, UNSUPPORTED without a
 * WebSocket.
 */
export async function connectQmuxBrowser(options: ConnectQmuxBrowserOptions): Promise<Transport> {
  const { url, versions, signal, timeoutMs = 10_000 } = options;
  const shown = redactUrl(url);
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^wss?:$/.test(target.protocol)) {
    throw new StreamsError('INVALID_ARGUMENT', `not a WebSocket URL: ${shown}`);
  }
  if (typeof WebSocket === 'undefined') throw new StreamsError('UNSUPPORTED', 'there is no WebSocket here');
  if (signal?.aborted) throw new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`);
  const socket = new WebSocket(target.href, offeredSubprotocols(versions));
  return greetedTransport({
    shown,
    timeoutMs,
    ...(signal !== undefined && { signal }),
    open: (resolve, reject) => {
      for (const ending of ['error', 'close'] as const) {
        socket.addEventListener(ending, () =>
          reject(new StreamsError('RELAY_UNREACHABLE', `cannot reach the relay at ${shown} by WebSocket`)),
        );
      }
      socket.addEventListener('open', () =>
        resolve(
          new QmuxTransport(new PlatformSocket(socket), {
            role: 'client',
            protocol: applicationProtocol(socket.protocol),
            path: target.pathname + target.search,
            remoteAddress: '',
            ...(options.limits !== undefined && { limits: options.limits }),
          }),
        ),
      );
    },
    abandon: () => socket.close(),
  });
}

/** The platform's WebSocket tells only when asked how much it still holds. */
const pollMs = 4;

class PlatformSocket implements QmuxSocket {
  readonly #socket: WebSocket;
  #polling: ReturnType<typeof setInterval> | undefined;
  #drained: () => void = () => {};
  /** What it would hold if nothing had gone to the network since the last look. */
  #held = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: QmuxSocketEvents): void {
    this.#drained = () => events.drained();
    this.#socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) events.message(new Uint8Array(data));
      else events.text();
    });
    this.#socket.addEventListener('close', ({ wasClean }) => {
      clearInterval(this.#polling);
      events.ended(wasClean);
    });
  }

  send(message: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    this.#held += message.length;
    this.#polling ??= setInterval(() => this.#poll(), pollMs);
  }

  close(): void {
    this.#socket.close();
  }

  #poll(): void {
    const { bufferedAmount } = this.#socket;
    const isLess = bufferedAmount < this.#held;
    this.#held = bufferedAmount;
    if (bufferedAmount === 0) {
      clearInterval(this.#polling);
      this.#polling = undefined;
    }
    if (isLess) this.#drained();
  }
}
