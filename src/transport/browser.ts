import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import { redactUrl } from '../core/log.ts';
import { transportPriorities } from '../core/send-order.ts';
import { AcceptQueue } from './accept-queue.ts';
import { BrowserReceiveStream, BrowserSendStream } from './browser-stream.ts';
import type {
  BidiStream,
  OpenOptions,
  OpenUniOptions,
  ReceiveStream,
  SendStream,
  Transport,
  TransportClose,
  TransportStats,
} from './transport.ts';

export type BrowserConnectOptions = {
  /** `https://host:port/path?query`. */
  url: string;
  /** Subprotocols in our preference; the server's choice is `Transport.protocol`. */
  protocols: string[];
  /** SHA-256 of certificates to accept instead of the browser's roots (ECDSA, valid 14 days at most). */
  certificateHashes?: Uint8Array[];
  signal?: AbortSignal;
};

/** Waiting for the reader; the browser's own queue comes before it. */
const maxQueuedDatagrams = 256;

/**
 * The browser's own WebTransport (W3C) as a Transport. Throws UNSUPPORTED (no WebTransport in this browser),
 * RELAY_UNREACHABLE, or INTERRUPTED when `signal` fires.
 */
export async function connectBrowser(options: BrowserConnectOptions): Promise<Transport> {
  const { url, protocols, certificateHashes, signal } = options;
  const shown = redactUrl(url);
  if (typeof globalThis.WebTransport !== 'function') {
    throw new StreamsError('UNSUPPORTED', 'this browser has no WebTransport', {
      hint: 'Open the page over https or on http://localhost, in a current browser.',
    });
  }
  if (signal?.aborted) throw interrupted(shown);
  let session: WebTransport;
  try {
    session = new WebTransport(url, {
      protocols,
      ...(certificateHashes !== undefined && {
        serverCertificateHashes: certificateHashes.map((value) => ({
          algorithm: 'sha-256',
          value: new Uint8Array(value),
        })),
      }),
    });
  } catch (cause) {
    throw new StreamsError('INVALID_ARGUMENT', `the browser refuses to connect to ${shown}`, { cause });
  }
  session.closed.catch(() => {});
  const abort = () => session.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await session.ready;
  } catch (cause) {
    if (signal?.aborted) throw interrupted(shown);
    throw new StreamsError('RELAY_UNREACHABLE', `cannot reach the relay at ${shown}`, {
      hint: 'Is the relay running, and is its UDP port open? A self-signed certificate needs its hash.',
      cause,
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return new BrowserTransport(session, url);
}

function interrupted(shown: string): StreamsError {
  return new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`);
}

class BrowserTransport implements Transport {
  readonly kind = 'browser';
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress = '';
  readonly #session: WebTransport;
  readonly #closed = deferred<TransportClose>();
  readonly #acceptUni = new AcceptQueue<ReceiveStream>();
  readonly #acceptBidi = new AcceptQueue<BidiStream>();
  readonly #incomingDatagrams = new AcceptQueue<Uint8Array>();
  readonly #datagramWriter: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #isClosed = false;
  #nextId = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  readonly #received = (byteLength: number): void => {
    this.#bytesReceived += byteLength;
  };

  constructor(session: WebTransport, url: string) {
    const { pathname, search } = new URL(url);
    this.#session = session;
    this.path = pathname + search;
    this.protocol = (session as { protocol?: string }).protocol ?? '';
    this.#datagramWriter = datagramWriter(session);
    this.#datagramWriter?.closed.catch(() => {});
    session.closed.then(
      ({ closeCode, reason }) => this.#shut({ by: 'peer', code: closeCode ?? 0, reason: reason ?? '' }),
      () => this.#shut({ by: 'transport', code: 0, reason: 'the connection was lost' }),
    );
    this.#pump(session.incomingUnidirectionalStreams, (stream: ReadableStream<Uint8Array>) => {
      this.#acceptUni.push(new BrowserReceiveStream(this.#nextId++, Promise.resolve(stream), this.#received));
    });
    this.#pump(session.incomingBidirectionalStreams, (stream: WebTransportBidirectionalStream) => {
      this.#acceptBidi.push(this.#bidi(Promise.resolve(stream), transportPriorities.request));
    });
    this.#pump(session.datagrams.readable, (bytes: Uint8Array) => {
      this.#received(bytes.length);
      if (this.#incomingDatagrams.length < maxQueuedDatagrams) this.#incomingDatagrams.push(bytes);
    });
  }

  get closed(): Promise<TransportClose> {
    return this.#closed.promise;
  }

  openUni({ priority, head }: OpenUniOptions = {}): SendStream {
    const stream = this.#counted(
      this.#opening(() => this.#session.createUnidirectionalStream()),
      priority,
    );
    if (head !== undefined) stream.write(head);
    return stream;
  }

  openBidi(options: OpenOptions = {}): BidiStream {
    return this.#bidi(
      this.#opening(() => this.#session.createBidirectionalStream()),
      options.priority,
    );
  }

  acceptUni(): Promise<ReceiveStream | null> {
    return this.#acceptUni.next();
  }

  acceptBidi(): Promise<BidiStream | null> {
    return this.#acceptBidi.next();
  }

  sendDatagram(bytes: Uint8Array): boolean {
    const writer = this.#datagramWriter;
    if (this.#isClosed || writer === undefined || bytes.length > this.#session.datagrams.maxDatagramSize) return false;
    if (writer.desiredSize === null || writer.desiredSize <= 0) return false;
    this.#bytesSent += bytes.length;
    writer.write(bytes).catch(() => {});
    return true;
  }

  receiveDatagram(): Promise<Uint8Array | null> {
    return this.#incomingDatagrams.next();
  }

  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#isClosed) return;
    this.#shut({ by: 'local', code, reason });
    try {
      this.#session.close({ closeCode: code, reason });
    } catch {
      // Closed by the peer a moment ago.
    }
  }

  stats(): TransportStats {
    return { rttMs: 0, cwnd: 0, bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived, packetsLost: 0 };
  }

  #shut(close: TransportClose): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#acceptUni.close();
    this.#acceptBidi.close();
    this.#incomingDatagrams.close();
    this.#closed.resolve(close);
  }

  /** A closed session refuses by throwing or by rejecting; both end the stream. */
  async #opening<T>(open: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StreamsError('TRANSPORT_CLOSED', 'the WebTransport session is closed');
    return open();
  }

  #bidi(opening: Promise<WebTransportBidirectionalStream>, priority = 0): BidiStream {
    const send = this.#counted(
      opening.then(({ writable }) => writable),
      priority,
    );
    const readable = opening.then(({ readable }) => readable);
    return { send, receive: new BrowserReceiveStream(send.id, readable, this.#received) };
  }

  #counted(opening: Promise<WritableStream<Uint8Array>>, priority = 0): SendStream {
    const count = (byteLength: number) => {
      this.#bytesSent += byteLength;
    };
    return new BrowserSendStream(this.#nextId++, opening, priority, count);
  }

  #pump<T>(stream: ReadableStream<T>, take: (item: T) => void): void {
    const reader = stream.getReader();
    const run = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
    };
    // The session's end ends the stream with an error; `closed` tells why.
    run().catch(() => {});
  }
}

/** Newer W3C text has `createWritable()`, browsers of 2026 mostly `writable`. */
function datagramWriter(session: WebTransport): WritableStreamDefaultWriter<Uint8Array> | undefined {
  const datagrams = session.datagrams as {
    writable?: WritableStream<Uint8Array>;
    createWritable?: () => WritableStream<Uint8Array>;
  };
  return (datagrams.writable ?? datagrams.createWritable?.())?.getWriter();
}
