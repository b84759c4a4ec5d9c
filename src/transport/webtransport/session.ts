import { CapsuleDecoder, encodeCapsule } from '../../codec/http3/capsules.ts';
import { http3Code } from '../../codec/http3/code-points.ts';
import type { Http3Frame } from '../../codec/http3/frames.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import { decodeDatagram, encodeDatagram, encodeStreamHeader } from '../../codec/http3/web-transport.ts';
import { concat } from '../../core/bytes.ts';
import { deferred } from '../../core/deferred.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type { ItemTaker } from '../decoded-stream.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type {
  BidiStream,
  OpenOptions,
  OpenUniOptions,
  ReceiveStream,
  SendStream,
  Transport,
  TransportClose,
  TransportStats,
  TransportTaker,
} from '../transport.ts';
import type { Http3Connection, SessionStreams } from './http3-connection.ts';
import { afterPause, closeSoon } from './linger.ts';
import type { RequestStream } from './request-stream.ts';
import { type OwningSession, SessionReceiveStream, SessionSendStream } from './streams.ts';

export type SessionOptions = {
  role: 'client' | 'server';
  sessionId: number;
  protocol: string;
  path: string;
  origin?: string;
};

/**
 * Chromium 156 loses the page (its renderer crashes) when the end of a stream and the end of the session reach it within a
 * few milliseconds of each other, in either order. So a server ends no stream after its session, and the session not before
 * this long after its last stream.
 */
const settleMs = 100;
/** Streams of the peer that wait for accept. */
const maxUnaccepted = 256;

/** An established WebTransport session (draft-ietf-webtrans-http3), alone on its HTTP/3 connection. */
export class WebTransportSession implements Transport, SessionStreams, OwningSession, ItemTaker<Http3Frame> {
  readonly kind = 'webtransport';
  readonly protocol: string;
  readonly path: string;
  readonly origin?: string;
  readonly sessionId: number;
  readonly #role: 'client' | 'server';
  readonly #connection: Http3Connection;
  readonly #base: Transport;
  readonly #connect: RequestStream;
  readonly #uniHeader: Uint8Array;
  readonly #bidiHeader: Uint8Array;
  readonly #acceptUni = new AcceptQueue<ReceiveStream>();
  readonly #acceptBidi = new AcceptQueue<BidiStream>();
  readonly #capsules = new CapsuleDecoder();
  readonly #closed = deferred<TransportClose>();
  #taker: TransportTaker | undefined;
  #isClosed = false;
  #streamEndedAt = Number.NEGATIVE_INFINITY;

  /** `connect`: the stream of the CONNECT, after its HEADERS both ways. */
  constructor(connection: Http3Connection, connect: RequestStream, options: SessionOptions) {
    this.protocol = options.protocol;
    this.path = options.path;
    if (options.origin !== undefined) this.origin = options.origin;
    this.#role = options.role;
    this.sessionId = options.sessionId;
    this.#connection = connection;
    this.#base = connection.base;
    this.#connect = connect;
    this.#uniHeader = encodeStreamHeader('uni', this.sessionId);
    this.#bidiHeader = encodeStreamHeader('bidi', this.sessionId);
    void connection.failed.then((error) => this.#end({ by: 'transport', code: 0, reason: error.message }));
    void this.#base.closed.then((close) => this.#end(sessionClose(close)));
    connect.deliverTo(this);
    connection.attach(this);
  }

  get remoteAddress(): string {
    return this.#base.remoteAddress;
  }
  get closed(): Promise<TransportClose> {
    return this.#closed.promise;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }

  openUni({ head, ...options }: OpenUniOptions = {}): SendStream {
    const stream =
      head === undefined
        ? this.#base.openUni(options)
        : this.#base.openUni({ ...options, head: concat([this.#uniHeader, head]) });
    if (head === undefined && !this.#isClosed) stream.write(this.#uniHeader);
    return new SessionSendStream(stream, this);
  }

  openBidi(options?: OpenOptions): BidiStream {
    const { send, receive } = this.#base.openBidi(options);
    if (!this.#isClosed) send.write(this.#bidiHeader);
    return { send: new SessionSendStream(send, this), receive: new SessionReceiveStream(receive, this) };
  }

  acceptUni(): Promise<ReceiveStream | null> {
    return this.#acceptUni.next();
  }

  acceptBidi(): Promise<BidiStream | null> {
    return this.#acceptBidi.next();
  }

  deliverTo(taker: TransportTaker): void {
    this.#taker = taker;
    for (const stream of this.#acceptUni.divert()) taker.uni(stream);
    for (const stream of this.#acceptBidi.divert()) taker.bidi(stream);
    this.#connection.flow((bytes) => {
      const payload = this.#payloadOf(bytes);
      if (payload !== undefined) taker.datagram(payload);
    });
  }

  sendDatagram(bytes: Uint8Array): boolean {
    return !this.#isClosed && this.#base.sendDatagram(encodeDatagram(this.sessionId, bytes));
  }

  allowStreams(most: { uni: number; bidi: number }): void {
    this.#base.allowStreams?.(most);
  }

  async receiveDatagram(): Promise<Uint8Array | null> {
    while (!this.#isClosed) {
      const bytes = await this.#base.receiveDatagram();
      if (bytes === null) return null;
      const payload = this.#payloadOf(bytes);
      if (payload !== undefined) return payload;
    }
    return null;
  }

  /** `code` is cut to 32 bits, the reason to 1024 bytes. */
  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#isClosed) return;
    const close = { code: Math.min(code, 0xffffffff), reason };
    this.#end({ by: 'local', ...close });
    const pauseMs = this.#role === 'server' ? this.#streamEndedAt + settleMs - performance.now() : 0;
    afterPause(this.#base, pauseMs, () => {
      this.#connect.sendData(encodeCapsule({ type: 'close', ...close }));
      this.#connect.finish();
      // The peer answers the FIN with its own; were the connection closed before, it could overtake the capsule.
      closeSoon(this.#base);
    });
  }

  streamEnds(): void {
    this.#streamEndedAt = performance.now();
  }

  stats(): TransportStats {
    return this.#base.stats();
  }

  incomingUni(stream: ReceiveStream, rest: Uint8Array): void {
    if (this.#isClosed) {
      stream.stop(http3Code.sessionGone);
      return;
    }
    const received = new SessionReceiveStream(stream, this, rest);
    if (this.#taker === undefined) this.#acceptUni.push(received);
    else this.#taker.uni(received);
  }

  incomingBidi({ send, receive }: BidiStream, rest: Uint8Array): void {
    if (this.#isClosed) {
      send.reset(http3Code.sessionGone);
      receive.stop(http3Code.sessionGone);
      return;
    }
    const bidi = { send: new SessionSendStream(send, this), receive: new SessionReceiveStream(receive, this, rest) };
    if (this.#taker === undefined) this.#acceptBidi.push(bidi);
    else this.#taker.bidi(bidi);
  }

  room(kind: 'uni' | 'bidi'): Promise<void> {
    return (kind === 'uni' ? this.#acceptUni : this.#acceptBidi).room(maxUnaccepted);
  }

  /** From the stream of the CONNECT. */
  item(frame: Http3Frame): void {
    if (frame.type !== 'data' || this.#isClosed) return;
    for (const capsule of this.#capsules.push(frame.bytes)) {
      if (capsule.type === 'close') this.#closedByPeer(capsule.code, capsule.reason);
    }
  }

  /** From the stream of the CONNECT. */
  end(error: unknown): void {
    if (error instanceof Http3Error) this.#connection.fail(error);
    else if (error === undefined || error instanceof StreamResetError) this.#closedByPeer(0, '');
    // Else the connection is lost, and its `closed` says how.
  }

  #payloadOf(bytes: Uint8Array): Uint8Array | undefined {
    const datagram = decodeDatagram(bytes);
    return datagram?.sessionId === this.sessionId && !this.#isClosed ? datagram.payload : undefined;
  }

  #closedByPeer(code: number, reason: string): void {
    if (!this.#isClosed) {
      this.#end({ by: 'peer', code, reason });
      this.#connect.finish();
    }
    // Closing is the client's part. Chromium answers the FIN before it has told its page what the capsule said, and a
    // connection we close in between is a lost one to the page.
    if (this.#role === 'client') this.#base.close({ code: http3Code.noError, reason: '' });
    else closeSoon(this.#base);
  }

  #end(close: TransportClose): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#acceptUni.close();
    this.#acceptBidi.close();
    this.#closed.resolve(close);
  }
}

/** A connection that ends without the session's own close. */
function sessionClose({ by, code, reason }: TransportClose): TransportClose {
  if (by === 'peer' && code === http3Code.noError) return { by, code: 0, reason };
  if (by === 'transport') return { by, code: 0, reason };
  return {
    by: 'transport',
    code: 0,
    reason: `HTTP/3 code 0x${code.toString(16)}${reason === '' ? '' : `: ${reason}`}`,
  };
}
