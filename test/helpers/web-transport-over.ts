import { StreamResetError } from '../../src/transport/stream-reset-error.ts';
import type { BidiStream, ReceiveStream, SendStream, Transport } from '../../src/transport/transport.ts';

/** A transport of ours in the shape of the W3C's WebTransport, for third-party clients that want one. */
export function webTransportOver(transport: Transport): WebTransport {
  const bidi = ({ send, receive }: BidiStream) => ({ writable: writable(send), readable: readable(receive) });
  const shape = {
    protocol: transport.protocol,
    ready: Promise.resolve(),
    draining: new Promise(() => {}),
    closed: transport.closed.then(({ code, reason }) => ({ closeCode: code, reason })),
    createBidirectionalStream: async () => bidi(transport.openBidi()),
    createUnidirectionalStream: async () => writable(transport.openUni()),
    incomingBidirectionalStreams: incoming(() => transport.acceptBidi(), bidi),
    incomingUnidirectionalStreams: incoming(() => transport.acceptUni(), readable),
    datagrams: {
      maxDatagramSize: 1200,
      readable: incoming(
        () => transport.receiveDatagram(),
        (bytes) => bytes,
      ),
      writable: new WritableStream<Uint8Array>({ write: (bytes) => void transport.sendDatagram(bytes.slice()) }),
    },
    close: ({ closeCode = 0, reason = '' } = {}) => transport.close({ code: closeCode, reason }),
  };
  return shape as unknown as WebTransport;
}

function incoming<T, U>(next: () => Promise<T | null>, shape: (value: T) => U): ReadableStream<U> {
  return new ReadableStream<U>({
    async pull(controller) {
      const value = await next();
      if (value === null) controller.close();
      else controller.enqueue(shape(value));
    },
  });
}

function readable(stream: ReceiveStream): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const bytes = await stream.read();
        if (bytes === null) controller.close();
        else if (bytes.length > 0) controller.enqueue(bytes);
      } catch (error) {
        controller.error(error instanceof StreamResetError ? streamError(error.resetCode) : error);
      }
    },
    cancel: (reason) => stream.stop(codeOf(reason)),
  });
}

function writable(stream: SendStream): WritableStream<Uint8Array> {
  let over = false;
  return new WritableStream<Uint8Array>({
    start(controller) {
      void stream.stopped.then((code) => {
        over = true;
        if (code !== null) controller.error(streamError(code));
      });
    },
    async write(bytes) {
      while (bytes.length > 0 && !stream.write(bytes.slice())) {
        // A dead stream takes nothing, and never is full.
        if (over) throw streamError(0);
        await stream.writable();
      }
    },
    close: () => stream.finish(),
    abort: (reason) => stream.reset(codeOf(reason)),
  });
}

/** As a WebTransportError has it. */
function streamError(code: number): Error {
  return Object.assign(new Error(`stream reset: ${code}`), { source: 'stream', streamErrorCode: code });
}

function codeOf(reason: unknown): number {
  return (reason as { streamErrorCode?: number } | undefined)?.streamErrorCode ?? 0;
}
