import { toStreamsError } from '../core/errors.ts';
import type { ReceiveStream, StreamTaker, Transport, TransportTaker } from './transport.ts';

/**
 * Delivery instead of waiting. A session mostly waits: for streams, for datagrams, and on each stream that lasts. A promise, and a
 * function that awaits it, are many times the size of what they wait for. So sockets that a relay has thousands of
 * (`Transport.deliverTo`, `ReceiveStream.deliverTo`) call whoever takes it; the others are read for him here.
 */

/** Everything that the peer opens and sends from now on, and what nobody has accepted yet. */
export function deliverAll(transport: Transport, taker: TransportTaker): void {
  if (transport.deliverTo !== undefined) {
    transport.deliverTo(taker);
    return;
  }
  void each(
    () => transport.acceptUni(),
    (stream) => taker.uni(stream),
  );
  void each(
    () => transport.acceptBidi(),
    (stream) => taker.bidi(stream),
  );
  void each(
    () => transport.receiveDatagram(),
    (bytes) => taker.datagram(bytes),
  );
}

/** Everything that comes on the stream from now on, and what nobody has read yet. */
export function deliverBytes(stream: ReceiveStream, taker: StreamTaker): void {
  if (stream.deliverTo !== undefined) {
    stream.deliverTo(taker);
    return;
  }
  each(
    () => stream.read(),
    (bytes) => taker.bytes(bytes),
  ).then(
    () => taker.end(undefined),
    (error) => taker.end(toStreamsError(error)),
  );
}

/** Takes one after the other until null, as far as `next` goes. */
export async function each<T>(next: () => Promise<T | null>, take: (item: T) => void): Promise<void> {
  for (let item = await next(); item !== null; item = await next()) take(item);
}
