import { qmuxCode } from '../../codec/qmux/code-points.ts';
import { encodeFrame, type QmuxFrame, type StreamFrame } from '../../codec/qmux/frames.ts';
import { QmuxError } from '../../codec/qmux/qmux-error.ts';
import type { StreamsError } from '../../core/errors.ts';
import { transportPriorities } from '../../core/send-order.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type { BidiStream, ReceiveStream, SendStream } from '../transport.ts';
import { IncomingIds } from './incoming-ids.ts';
import type { QmuxLimits } from './limits.ts';
import type { Outgoing } from './outgoing.ts';
import { QmuxReceiveStream, type ReceiveStreamHooks } from './receive-stream.ts';
import { QmuxSendStream, type SendStreamHooks } from './send-stream.ts';

export type StreamTableHooks = {
  /** The application has read, or has no use for, this many bytes of streams. */
  consumed(byteLength: number): void;
  /** Something may be sent. */
  wake(): void;
};

/** A stream of the peer holds its slot until both halves are over and the application has taken it. */
type Incoming = { send?: QmuxSendStream; receive: QmuxReceiveStream; isTaken: boolean; isReleased: boolean };

type Frame<T extends QmuxFrame['type']> = Extract<QmuxFrame, { type: T }>;

/** The streams of a connection: which frame belongs to which, and when one is over (RFC 9000 sections 2 and 3). */
export class StreamTable implements SendStreamHooks, ReceiveStreamHooks {
  readonly #initiator: 0 | 1;
  readonly #limits: Required<QmuxLimits>;
  readonly #outgoing: Outgoing;
  readonly #hooks: StreamTableHooks;
  readonly #live = new Set<QmuxSendStream | QmuxReceiveStream>();
  /** By id on the wire. */
  readonly #sends = new Map<number, QmuxSendStream>();
  readonly #receives = new Map<number, QmuxReceiveStream>();
  readonly #incoming = new Map<number, Incoming>();
  /** Receiving halves of ours that are not on the wire yet, by local id. */
  readonly #unopened = new Map<number, QmuxReceiveStream>();
  readonly #uni = new AcceptQueue<Incoming>();
  readonly #bidi = new AcceptQueue<Incoming>();
  readonly #ids: { uni: IncomingIds; bidi: IncomingIds };
  #nextId = 1;
  #closed: StreamsError | undefined;

  constructor(initiator: 0 | 1, limits: Required<QmuxLimits>, outgoing: Outgoing, hooks: StreamTableHooks) {
    this.#initiator = initiator;
    this.#limits = limits;
    this.#outgoing = outgoing;
    this.#hooks = hooks;
    this.#ids = { uni: new IncomingIds(limits.maxIncomingUni), bidi: new IncomingIds(limits.maxIncomingBidi) };
  }

  openUni(priority: number): SendStream {
    return this.#newSend(this.#nextId++, false, priority);
  }

  openBidi(priority: number): BidiStream {
    const id = this.#nextId++;
    const receive = this.#newReceive(id);
    if (this.#closed === undefined) this.#unopened.set(id, receive);
    return { send: this.#newSend(id, true, priority), receive };
  }

  async acceptUni(): Promise<ReceiveStream | null> {
    const stream = await this.#uni.next();
    return stream === null ? null : this.#taken(stream).receive;
  }

  async acceptBidi(): Promise<BidiStream | null> {
    const stream = await this.#bidi.next();
    if (stream?.send === undefined) return null;
    this.#taken(stream);
    return { send: stream.send, receive: stream.receive };
  }

  /** One of ours got its id on the wire. */
  opened(send: QmuxSendStream): void {
    const wireId = send.wireId!;
    if (!send.isEnded) this.#sends.set(wireId, send);
    const receive = this.#unopened.get(send.id);
    if (receive === undefined) return;
    this.#unopened.delete(send.id);
    receive.wireId = wireId;
    this.#receives.set(wireId, receive);
    if (receive.stopCode !== undefined) this.stoppedHere(receive, receive.stopCode);
  }

  data(frame: StreamFrame): void {
    const stream = this.#receiveOf(frame.id);
    if (stream === undefined) {
      this.#hooks.consumed(frame.data.length);
      return;
    }
    stream.arrived(frame.offset, frame.data);
    if (frame.fin) stream.finished();
  }

  /** RESET_STREAM. Returns how many bytes it adds to what the peer has sent. */
  reset({ id, code, finalSize }: Frame<'reset-stream'>): number {
    return this.#receiveOf(id)?.wasReset(code, finalSize) ?? 0;
  }

  /** STOP_SENDING: answered by RESET_STREAM with the same code (RFC 9000 3.5). */
  stopped({ id, code }: Frame<'stop-sending'>): void {
    const stream = this.#sendOf(id);
    if (stream === undefined) return;
    this.#outgoing.reset(stream, Math.min(code, Number.MAX_SAFE_INTEGER));
    stream.end(code);
    this.#hooks.wake();
  }

  /** MAX_STREAM_DATA. */
  credit({ id, max }: Frame<'max-stream-data'>): void {
    const stream = this.#sendOf(id);
    if (stream === undefined || max <= stream.credit) return;
    stream.credit = max;
    this.ready(stream);
  }

  close(error: StreamsError): void {
    this.#closed = error;
    for (const stream of [...this.#live]) {
      if (stream instanceof QmuxSendStream) stream.end(null);
      else stream.lost(error);
    }
    this.#unopened.clear();
    this.#uni.close();
    this.#bidi.close();
  }

  ready(stream: QmuxSendStream): void {
    this.#outgoing.ready(stream);
    this.#hooks.wake();
  }

  resetHere(stream: QmuxSendStream, code: number): void {
    if (this.#closed !== undefined) return;
    this.#outgoing.reset(stream, code);
    this.#hooks.wake();
  }

  consumed(byteLength: number): void {
    this.#hooks.consumed(byteLength);
  }

  creditDue(stream: QmuxReceiveStream): void {
    const id = stream.wireId;
    if (id === undefined || stream.stopCode !== undefined) return;
    this.#outgoing.control(() => encodeFrame({ type: 'max-stream-data', id, max: stream.raiseLimit() }), stream);
    this.#hooks.wake();
  }

  stoppedHere(stream: QmuxReceiveStream, code: number): void {
    const id = stream.wireId;
    if (id === undefined) return;
    this.#outgoing.withdraw(stream);
    this.#outgoing.control(() => encodeFrame({ type: 'stop-sending', id, code }));
    this.#hooks.wake();
  }

  ended(stream: QmuxSendStream | QmuxReceiveStream): void {
    this.#live.delete(stream);
    const { wireId } = stream;
    if (stream instanceof QmuxSendStream) this.#outgoing.forget(stream);
    else this.#outgoing.withdraw(stream);
    if (wireId === undefined) return;
    if (stream instanceof QmuxSendStream) this.#sends.delete(wireId);
    else this.#receives.delete(wireId);
    const incoming = this.#incoming.get(wireId);
    if (incoming !== undefined) this.#release(incoming);
  }

  #newSend(id: number, bidirectional: boolean, priority: number): QmuxSendStream {
    const stream = new QmuxSendStream(id, bidirectional, priority, this.#limits.streamHighWaterBytes, this);
    if (this.#closed === undefined) this.#live.add(stream);
    else stream.end(null);
    return stream;
  }

  #newReceive(id: number): QmuxReceiveStream {
    const stream = new QmuxReceiveStream(id, this.#limits.streamReceiveWindow, this);
    if (this.#closed === undefined) this.#live.add(stream);
    else stream.lost(this.#closed);
    return stream;
  }

  #receiveOf(wireId: number): QmuxReceiveStream | undefined {
    if (isUni(wireId) && this.#isOurs(wireId)) throw wrongStream('data on a stream that only we write');
    return this.#receives.get(wireId) ?? this.#appear(wireId)?.receive;
  }

  #sendOf(wireId: number): QmuxSendStream | undefined {
    if (isUni(wireId) && !this.#isOurs(wireId))
      throw wrongStream('credit or stop of a stream that only the peer writes');
    return this.#sends.get(wireId) ?? this.#appear(wireId)?.send;
  }

  /** A stream that is not in the table: new, or over (undefined). */
  #appear(wireId: number): Incoming | undefined {
    const index = Math.floor(wireId / 4);
    if (this.#isOurs(wireId)) {
      if (!this.#outgoing.hasOpened(!isUni(wireId), index)) throw wrongStream('a stream that we have not opened');
      return undefined;
    }
    if (!(isUni(wireId) ? this.#ids.uni : this.#ids.bidi).open(index)) return undefined;
    const id = this.#nextId++;
    const receive = this.#newReceive(id);
    receive.wireId = wireId;
    const incoming: Incoming = { receive, isTaken: false, isReleased: false };
    this.#receives.set(wireId, receive);
    this.#incoming.set(wireId, incoming);
    if (isUni(wireId)) this.#uni.push(incoming);
    else {
      incoming.send = this.#newSend(id, true, transportPriorities.request);
      incoming.send.wireId = wireId;
      incoming.send.credit = this.#outgoing.creditOnTheirs;
      this.#sends.set(wireId, incoming.send);
      this.#bidi.push(incoming);
    }
    return incoming;
  }

  #taken(incoming: Incoming): Incoming {
    incoming.isTaken = true;
    this.#release(incoming);
    return incoming;
  }

  #release(incoming: Incoming): void {
    const { send, receive, isTaken, isReleased } = incoming;
    if (isReleased || !isTaken || !receive.isEnded || send?.isEnded === false) return;
    incoming.isReleased = true;
    this.#incoming.delete(receive.wireId!);
    const bidirectional = send !== undefined;
    const ids = bidirectional ? this.#ids.bidi : this.#ids.uni;
    if (this.#closed !== undefined || !ids.release()) return;
    this.#outgoing.control(() => encodeFrame({ type: 'max-streams', bidirectional, max: ids.raiseLimit() }), ids);
    this.#hooks.wake();
  }

  #isOurs(wireId: number): boolean {
    return wireId % 2 === this.#initiator;
  }
}

/** RFC 9000 2.1: bit 1 is the direction, bit 0 the initiator. */
function isUni(wireId: number): boolean {
  return wireId % 4 >= 2;
}

function wrongStream(message: string): QmuxError {
  return new QmuxError(qmuxCode.streamStateError, message);
}
