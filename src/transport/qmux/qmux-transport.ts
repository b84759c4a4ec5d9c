import { defaultMaxRecordBytes, qmuxCode } from '../../codec/qmux/code-points.ts';
import { decodeRecord, encodeFrame, type QmuxFrame } from '../../codec/qmux/frames.ts';
import type { QmuxParameters } from '../../codec/qmux/parameters.ts';
import { QmuxError } from '../../codec/qmux/qmux-error.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type {
  BidiStream,
  OpenUniOptions,
  ReceiveStream,
  SendStream,
  Transport,
  TransportClose,
  TransportStats,
} from '../transport.ts';
import { parametersOf, type QmuxLimits, qmuxLimits } from './limits.ts';
import { Liveness } from './liveness.ts';
import { Outgoing } from './outgoing.ts';
import type { QmuxSocket, QmuxSocketEvents } from './socket.ts';
import { StreamTable } from './stream-table.ts';

export type QmuxTransportOptions = {
  role: 'client' | 'server';
  /** MoQT version. */
  protocol: string;
  path: string;
  remoteAddress: string;
  origin?: string;
  limits?: QmuxLimits;
};

const maxQueuedDatagrams = 1024;
const maxQueuedDatagramBytes = 1024 * 1024;
const maxReasonBytes = 1024;

/**
 * One QMux connection (draft-ietf-quic-qmux-02) over an open WebSocket (draft-lcurley-qmux-websocket). What the peer breaks
 * closes it with CONNECTION_CLOSE and shows here as a close by `transport` with a code of RFC 9000 20.1; a close by either
 * application is CONNECTION_CLOSE of type 0x1d. Stream ids are local, not the ones on the wire. `rttMs` is that of pings;
 * `cwnd` and `packetsLost`, which the socket does not tell, are 0.
 */
export class QmuxTransport implements Transport, QmuxSocketEvents {
  readonly kind = 'qmux';
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress: string;
  readonly origin?: string;
  /** Resolves when the peer's transport parameters are here, or the connection is over. */
  readonly greeted: Promise<void>;
  readonly #greeting = deferred<void>();
  readonly #socket: QmuxSocket;
  readonly #limits: Required<QmuxLimits>;
  readonly #closed = deferred<TransportClose>();
  readonly #datagrams = new AcceptQueue<Uint8Array>();
  readonly #streams: StreamTable;
  readonly #outgoing: Outgoing;
  readonly #liveness: Liveness;
  #queuedDatagramBytes = 0;
  #receivedLimit: number;
  #receivedBytes = 0;
  #consumedBytes = 0;
  #hasGreeting = false;
  #closeInfo: TransportClose | undefined;
  #pumping = false;
  /** The socket was full: that it drains shows that the peer is there. */
  #pressed = false;
  #nextPing = 0n;
  #pingSentAt = 0;
  #lastPingOfPeer = -1n;
  #stats: TransportStats = { rttMs: 0, cwnd: 0, bytesSent: 0, bytesReceived: 0, packetsLost: 0 };

  constructor(socket: QmuxSocket, options: QmuxTransportOptions) {
    this.protocol = options.protocol;
    this.path = options.path;
    this.remoteAddress = options.remoteAddress;
    if (options.origin !== undefined) this.origin = options.origin;
    this.greeted = this.#greeting.promise;
    this.#socket = socket;
    const limits = qmuxLimits(options.limits ?? {});
    this.#limits = limits;
    this.#receivedLimit = limits.connectionReceiveWindow;
    const initiator = options.role === 'client' ? 0 : 1;
    this.#outgoing = new Outgoing(initiator, (stream) => this.#streams.opened(stream));
    this.#streams = new StreamTable(initiator, limits, this.#outgoing, {
      consumed: (byteLength) => this.#consumed(byteLength),
      wake: () => this.#wake(),
    });
    this.#liveness = new Liveness({
      ...limits,
      ping: () => this.#ping(),
      expired: (reason) => {
        this.#socket.close();
        this.#end({ by: 'transport', code: 0, reason });
      },
    });
    socket.listen(this);
    this.#send(encodeFrame({ type: 'parameters', parameters: parametersOf(limits) }));
  }

  /** What `closed` resolved with, if it has. */
  get closeInfo(): TransportClose | undefined {
    return this.#closeInfo;
  }

  get closed(): Promise<TransportClose> {
    return this.#closed.promise;
  }

  get #isEnded(): boolean {
    return this.#closeInfo !== undefined;
  }

  openUni({ priority = 0, head }: OpenUniOptions = {}): SendStream {
    const stream = this.#streams.openUni(priority);
    if (head !== undefined) stream.write(head);
    return stream;
  }

  openBidi(options: { priority?: number } = {}): BidiStream {
    return this.#streams.openBidi(options.priority ?? 0);
  }

  acceptUni(): Promise<ReceiveStream | null> {
    return this.#streams.acceptUni();
  }

  acceptBidi(): Promise<BidiStream | null> {
    return this.#streams.acceptBidi();
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (this.#isEnded || !this.#outgoing.datagram(bytes)) return false;
    this.#wake();
    return true;
  }

  async receiveDatagram(): Promise<Uint8Array | null> {
    const bytes = await this.#datagrams.next();
    if (bytes !== null) this.#queuedDatagramBytes -= bytes.length;
    return bytes;
  }

  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#isEnded) return;
    const sent = fromUtf8(utf8(reason).subarray(0, maxReasonBytes));
    this.#send(encodeFrame({ type: 'close', by: 'application', code, reason: sent }));
    this.#socket.close();
    this.#end({ by: 'local', code, reason });
  }

  stats(): TransportStats {
    return { ...this.#stats };
  }

  message(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    this.#liveness.heard();
    this.#stats.bytesReceived += bytes.length;
    try {
      if (bytes.length > defaultMaxRecordBytes) throw new QmuxError(qmuxCode.frameEncodingError, 'record too large');
      for (const frame of decodeRecord(bytes)) {
        this.#take(frame);
        if (this.#isEnded) return;
      }
    } catch (error) {
      if (error instanceof QmuxError) this.#fail(error.closeCode, error.message);
      else this.#fail(qmuxCode.internalError, 'internal error');
    }
  }

  text(): void {
    this.#fail(qmuxCode.protocolViolation, 'a text message');
  }

  heard(): void {
    this.#liveness.heard();
  }

  drained(): void {
    if (this.#pressed) {
      this.#pressed = false;
      this.#liveness.heard();
    }
    this.#pump();
  }

  ended(clean: boolean): void {
    this.#end({ by: clean ? 'peer' : 'transport', code: 0, reason: clean ? '' : 'connection lost' });
  }

  #take(frame: QmuxFrame): void {
    // Draft-02 4.2: the first, and only the first.
    if ((frame.type === 'parameters') === this.#hasGreeting && frame.type !== 'close') {
      throw new QmuxError(qmuxCode.protocolViolation, 'transport parameters are the first frame and no other');
    }
    switch (frame.type) {
      case 'stream':
        this.#received(frame.data.length);
        this.#streams.data(frame);
        break;
      case 'reset-stream': {
        const unseen = this.#streams.reset(frame);
        this.#received(unseen);
        this.#consumed(unseen);
        break;
      }
      case 'stop-sending':
        this.#streams.stopped(frame);
        break;
      case 'max-stream-data':
        this.#streams.credit(frame);
        break;
      case 'max-data':
        this.#outgoing.raiseCredit(frame.max);
        this.#wake();
        break;
      case 'max-streams':
        this.#outgoing.raiseOpenLimit(frame.bidirectional, frame.max);
        this.#wake();
        break;
      case 'datagram':
        this.#datagram(frame.data, frame.frameBytes);
        break;
      case 'ping':
        if (frame.response) this.#pong(frame.sequence);
        else this.#pinged(frame.sequence);
        break;
      case 'parameters':
        this.#greet(frame.parameters);
        break;
      case 'close':
        this.#socket.close();
        this.#end({ by: frame.by === 'application' ? 'peer' : 'transport', code: frame.code, reason: frame.reason });
    }
  }

  #greet(peer: QmuxParameters): void {
    this.#hasGreeting = true;
    this.#liveness.greeted(peer.maxIdleTimeout);
    this.#outgoing.greeted(peer);
    this.#greeting.resolve();
    this.#ping();
    this.#wake();
  }

  #datagram(data: Uint8Array, frameBytes: number): void {
    if (frameBytes > defaultMaxRecordBytes) throw new QmuxError(qmuxCode.protocolViolation, 'datagram too large');
    if (this.#datagrams.length >= maxQueuedDatagrams) return;
    if (this.#queuedDatagramBytes + data.length > maxQueuedDatagramBytes) return;
    this.#queuedDatagramBytes += data.length;
    // A copy: the message it is part of would live as long.
    this.#datagrams.push(data.slice());
  }

  #ping(): void {
    this.#outgoing.control(() => {
      this.#pingSentAt = performance.now();
      return encodeFrame({ type: 'ping', response: false, sequence: this.#nextPing++ });
    }, 'ping');
    this.#wake();
  }

  #pong(sequence: bigint): void {
    if (sequence >= this.#nextPing) throw new QmuxError(qmuxCode.protocolViolation, 'an answer to no ping');
    if (sequence === this.#nextPing - 1n) this.#stats.rttMs = performance.now() - this.#pingSentAt;
  }

  /** Draft-02 4.3: one answer, to the largest, does for all. Draft-01 let sequence numbers repeat. */
  #pinged(sequence: bigint): void {
    if (sequence < this.#lastPingOfPeer) throw new QmuxError(qmuxCode.protocolViolation, 'pings count upwards');
    this.#lastPingOfPeer = sequence;
    this.#outgoing.control(() => encodeFrame({ type: 'ping', response: true, sequence: this.#lastPingOfPeer }), 'pong');
    this.#wake();
  }

  /** Stream bytes that count against the connection's credit. */
  #received(byteLength: number): void {
    this.#receivedBytes += byteLength;
    if (this.#receivedBytes > this.#receivedLimit) {
      throw new QmuxError(qmuxCode.flowControlError, 'more data than there was credit for', 'LIMIT_EXCEEDED');
    }
  }

  #consumed(byteLength: number): void {
    this.#consumedBytes += byteLength;
    const window = this.#limits.connectionReceiveWindow;
    if (this.#isEnded || this.#consumedBytes + window - this.#receivedLimit < window / 2) return;
    this.#outgoing.control(() => {
      this.#receivedLimit = this.#consumedBytes + window;
      return encodeFrame({ type: 'max-data', max: this.#receivedLimit });
    }, 'max-data');
    this.#wake();
  }

  /** After what is being done now, so that what belongs together goes together, and by priority. */
  #wake(): void {
    if (this.#pumping || this.#isEnded) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#isEnded) {
      if (this.#socket.bufferedBytes >= this.#limits.sendBufferBytes) {
        this.#pressed = true;
        return;
      }
      const record = this.#outgoing.nextRecord();
      if (record === undefined) return;
      this.#send(record);
    }
  }

  #send(record: Uint8Array): void {
    this.#stats.bytesSent += record.length;
    this.#socket.send(record);
  }

  #fail(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#send(encodeFrame({ type: 'close', by: 'transport', code, reason }));
    this.#socket.close();
    this.#end({ by: 'transport', code, reason });
  }

  #end(close: TransportClose): void {
    if (this.#isEnded) return;
    this.#closeInfo = close;
    this.#liveness.stop();
    this.#outgoing.clear();
    const words = close.reason === '' ? '' : `: ${close.reason}`;
    const error = new StreamsError(
      'TRANSPORT_CLOSED',
      `the connection was closed (code 0x${close.code.toString(16)})${words}`,
    );
    this.#streams.close(error);
    this.#datagrams.close();
    this.#greeting.resolve();
    this.#closed.resolve(close);
  }
}
