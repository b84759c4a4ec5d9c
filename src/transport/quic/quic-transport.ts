import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { transportPriorities } from '../../core/send-order.ts';
import { AcceptQueue } from '../accept-queue.ts';
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
import { raiseAt } from './limits.ts';
import { QuicReceiveStream } from './receive-stream.ts';
import { QuicSendStream } from './send-stream.ts';
import type { ConnectionEvents, SharedSocket } from './shared-socket.ts';

const maxQueuedDatagrams = 1024;

type QuicBidi = { send: QuicSendStream; receive: QuicReceiveStream };

function startUni(stream: QuicReceiveStream | null): ReceiveStream | null {
  return stream?.start() ?? null;
}

function startBidi(stream: QuicBidi | null): BidiStream | null {
  return stream && started(stream);
}

function started(stream: QuicBidi): BidiStream {
  stream.receive.start();
  return stream;
}

/** One QUIC connection (RFC 9000), either end. Stream ids are the socket's handles, not the ones on the wire. */
export class QuicTransport implements Transport, ConnectionEvents {
  readonly kind = 'quic';
  readonly protocol: string;
  readonly path = '';
  readonly remoteAddress: string;
  readonly #socket: SharedSocket;
  readonly #handle: number;
  readonly #closed = deferred<TransportClose>();
  readonly #uni = new AcceptQueue<QuicReceiveStream>();
  readonly #bidi = new AcceptQueue<QuicBidi>();
  readonly #datagrams = new AcceptQueue<Uint8Array>();
  #taker: TransportTaker | undefined;
  readonly #sends = new Set<QuicSendStream>();
  readonly #receives = new Set<QuicReceiveStream>();
  readonly #forgetSend = (stream: QuicSendStream): void => void this.#sends.delete(stream);
  readonly #forgetReceive = (stream: QuicReceiveStream): void => void this.#receives.delete(stream);
  /** What this end closed with; the socket only knows that it did. */
  #closing: { code: number; reason: string } | undefined;
  #ended: StreamsError | undefined;
  /** Until it is allowed. */
  #most: { uni: number; bidi: number } | undefined;
  #accepted = 0;
  #lastStats: TransportStats = { rttMs: 0, cwnd: 0, bytesSent: 0, bytesReceived: 0, packetsLost: 0 };

  /** `most`: streams of a peer that was allowed `firstStreams` at first. */
  constructor(
    socket: SharedSocket,
    handle: number,
    protocol: string,
    remoteAddress: string,
    most?: { uni: number; bidi: number },
  ) {
    this.#most = most;
    this.protocol = protocol;
    this.remoteAddress = remoteAddress;
    this.#socket = socket;
    this.#handle = handle;
    socket.addConnection(handle, this);
  }

  get closed(): Promise<TransportClose> {
    return this.#closed.promise;
  }

  openUni({ priority, head }: OpenUniOptions = {}): SendStream {
    return this.#newSend(this.#open(false, priority, head));
  }

  openBidi({ priority }: OpenOptions = {}): BidiStream {
    const handle = this.#open(true, priority);
    return { send: this.#newSend(handle), receive: this.#newReceive(handle).start() };
  }

  acceptUni(): Promise<ReceiveStream | null> {
    return this.#uni.next().then(startUni);
  }

  acceptBidi(): Promise<BidiStream | null> {
    return this.#bidi.next().then(startBidi);
  }

  sendDatagram(bytes: Uint8Array): boolean {
    return this.#ended === undefined && this.#socket.native.sendDatagram(this.#handle, bytes);
  }

  receiveDatagram(): Promise<Uint8Array | null> {
    return this.#datagrams.next();
  }

  deliverTo(taker: TransportTaker): void {
    this.#taker = taker;
    for (const stream of this.#uni.divert()) taker.uni(stream.start());
    for (const stream of this.#bidi.divert()) taker.bidi(started(stream));
    for (const bytes of this.#datagrams.divert()) taker.datagram(bytes);
  }

  allowStreams({ uni, bidi }: { uni: number; bidi: number }): void {
    this.#most = undefined;
    if (this.#ended === undefined) this.#socket.native.allowStreams(this.#handle, uni, bidi);
  }

  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#ended !== undefined || this.#closing !== undefined) return;
    this.#closing = { code, reason };
    this.stats();
    this.#socket.native.close(this.#handle, code, reason);
  }

  stats(): TransportStats {
    const [rttMs, cwnd, bytesSent, bytesReceived, packetsLost] = this.#socket.native.stats(this.#handle);
    if (rttMs !== undefined) {
      this.#lastStats = {
        rttMs,
        cwnd: cwnd ?? 0,
        bytesSent: bytesSent ?? 0,
        bytesReceived: bytesReceived ?? 0,
        packetsLost: packetsLost ?? 0,
      };
    }
    return this.#lastStats;
  }

  incoming(bidirectional: boolean, handle: number): void {
    const receive = this.#newReceive(handle);
    // Before the peer has to wait for more.
    if (this.#most !== undefined && ++this.#accepted === raiseAt) this.allowStreams(this.#most);
    const taker = this.#taker;
    if (bidirectional) {
      const stream = { send: this.#newSend(handle), receive };
      stream.send.setPriority(transportPriorities.request);
      if (taker === undefined) this.#bidi.push(stream);
      else taker.bidi(started(stream));
    } else if (taker === undefined) this.#uni.push(receive);
    else taker.uni(receive.start());
  }

  datagram(bytes: Uint8Array): void {
    if (this.#taker !== undefined) this.#taker.datagram(bytes);
    else if (this.#datagrams.length < maxQueuedDatagrams) this.#datagrams.push(bytes);
  }

  ended(close: TransportClose): void {
    const settled = close.by === 'local' && this.#closing !== undefined ? { ...close, ...this.#closing } : close;
    const words = settled.reason === '' ? '' : `: ${settled.reason}`;
    this.#ended = new StreamsError(
      'TRANSPORT_CLOSED',
      `the connection was closed (code 0x${settled.code.toString(16)})${words}`,
    );
    for (const stream of [...this.#sends]) stream.ended(null);
    for (const stream of [...this.#receives]) stream.lost(this.#ended);
    this.#uni.close();
    this.#bidi.close();
    this.#datagrams.close();
    this.#closed.resolve(settled);
  }

  /** A stream opened after the end is born ended: its handle is 0, or the socket has forgotten it. */
  #open(bidirectional: boolean, priority = 0, head?: Uint8Array): number {
    return this.#ended === undefined ? this.#socket.native.open(this.#handle, bidirectional, priority, head) : 0;
  }

  #newSend(handle: number): QuicSendStream {
    const stream = new QuicSendStream(this.#socket, handle, this.#forgetSend);
    this.#sends.add(stream);
    if (this.#ended !== undefined) stream.ended(null);
    return stream;
  }

  #newReceive(handle: number): QuicReceiveStream {
    const stream = new QuicReceiveStream(this.#socket, handle, this.#forgetReceive);
    this.#receives.add(stream);
    if (this.#ended !== undefined) stream.lost(this.#ended);
    return stream;
  }
}
