import { StreamsError } from '../../core/errors.ts';
import type { Transport } from '../transport.ts';
import type { QmuxTransport } from './qmux-transport.ts';

export type GreetedOptions = {
  /** Of the URL, for messages. */
  shown: string;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Answers once, one way or the other, from an event to come. */
  open(resolve: (transport: QmuxTransport) => void, reject: (error: StreamsError) => void): void;
  /** Nobody wants the socket any more. */
  abandon(): void;
};

/** A client's connection once the server's transport parameters are there. Throws what `open` rejects with, TIMEOUT, INTERRUPTED. */
export async function greetedTransport(options: GreetedOptions): Promise<Transport> {
  const { shown, timeoutMs, signal } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = () => {};
  const gaveUp = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new StreamsError('TIMEOUT', `no answer from the relay at ${shown} in ${timeoutMs} ms`)),
      timeoutMs,
    );
    abort = () => reject(new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    const opened = new Promise<QmuxTransport>((resolve, reject) => options.open(resolve, reject));
    const transport = await Promise.race([opened, gaveUp]);
    await Promise.race([transport.greeted, gaveUp]);
    const close = transport.closeInfo;
    if (close === undefined) return transport;
    throw new StreamsError('RELAY_UNREACHABLE', `the relay at ${shown} closed the connection: ${close.reason}`);
  } catch (error) {
    options.abandon();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
