import { defaultMaxRecordBytes, maxStreamFrameData } from '../../codec/qmux/code-points.ts';
import {
  encodeDatagramHeader,
  encodeFrame,
  encodeStreamHeader,
  maxStreamHeaderBytes,
} from '../../codec/qmux/frames.ts';
import { defaultParameters, type QmuxParameters } from '../../codec/qmux/parameters.ts';
import { concat } from '../../core/bytes.ts';
import { PriorityLanes } from './priority-lanes.ts';
import type { QmuxSendStream } from './send-stream.ts';

/** No frame that goes by `control` is larger. */
const maxControlBytes = 32;
const maxDatagramHeaderBytes = 5;
const maxQueuedDatagrams = 1024;
const maxQueuedDatagramBytes = 256 * 1024;

/**
 * What waits to be sent on a connection, and in which order: control frames, datagrams, then streams by priority, equal
 * ones in turns. A record is put together only when the socket has room for it, so the newest priorities count.
 */
export class Outgoing {
  readonly #initiator: 0 | 1;
  readonly #opened: (stream: QmuxSendStream) => void;
  readonly #control = new Map<unknown, () => Uint8Array>();
  #datagrams: Uint8Array[] = [];
  #datagramBytes = 0;
  /** On the wire, with something to send and stream credit for it. */
  readonly #ready = new PriorityLanes<QmuxSendStream>();
  /** Not on the wire yet. */
  readonly #fresh = { uni: new PriorityLanes<QmuxSendStream>(), bidi: new PriorityLanes<QmuxSendStream>() };
  /** Reset before the first frame: the peer has to see them come and go, for their other half's sake. */
  readonly #bornReset = new Map<QmuxSendStream, number>();
  /** Wait for connection credit. */
  readonly #starved = new Set<QmuxSendStream>();
  readonly #openedCount = { uni: 0, bidi: 0 };
  readonly #openLimit = { uni: 0, bidi: 0 };
  #peer: QmuxParameters = defaultParameters;
  #credit = 0;
  #sentBytes = 0;

  /** `initiator`: bit 0 of our stream ids. `opened` is told of each of our streams that gets its id. */
  constructor(initiator: 0 | 1, opened: (stream: QmuxSendStream) => void) {
    this.#initiator = initiator;
    this.#opened = opened;
  }

  /** Credit on a two-way stream that the peer opened. */
  get creditOnTheirs(): number {
    return this.#peer.initialMaxStreamDataBidiLocal;
  }

  /** Largest payload of a datagram. */
  get maxDatagramBytes(): number {
    const frame = this.#peer === defaultParameters ? defaultMaxRecordBytes : this.#peer.maxDatagramFrameSize;
    return Math.min(frame, defaultMaxRecordBytes) - maxDatagramHeaderBytes;
  }

  /** Until then nothing but control frames is sent. */
  greeted(peer: QmuxParameters): void {
    this.#peer = peer;
    this.#datagrams = this.#datagrams.filter((bytes) => bytes.length <= this.maxDatagramBytes);
    this.#datagramBytes = this.#datagrams.reduce((sum, bytes) => sum + bytes.length, 0);
    this.raiseOpenLimit(false, peer.initialMaxStreamsUni);
    this.raiseOpenLimit(true, peer.initialMaxStreamsBidi);
    this.raiseCredit(peer.initialMaxData);
  }

  raiseCredit(max: number): void {
    if (max <= this.#credit) return;
    this.#credit = max;
    for (const stream of this.#starved) this.ready(stream);
  }

  raiseOpenLimit(bidirectional: boolean, max: number): void {
    const kind = bidirectional ? 'bidi' : 'uni';
    this.#openLimit[kind] = Math.max(this.#openLimit[kind], max);
  }

  /** Whether we have opened the stream of this index. */
  hasOpened(bidirectional: boolean, index: number): boolean {
    return index < this.#openedCount[bidirectional ? 'bidi' : 'uni'];
  }

  /** `make` runs when it is sent; a later one with the same key takes the place of an earlier one. */
  control(make: () => Uint8Array, key: unknown = make): void {
    this.#control.set(key, make);
  }

  withdraw(key: unknown): void {
    this.#control.delete(key);
  }

  /** false: too large, or too many wait. */
  datagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramBytes || this.#datagrams.length >= maxQueuedDatagrams) return false;
    if (this.#datagramBytes + bytes.length > maxQueuedDatagramBytes) return false;
    this.#datagrams.push(bytes);
    this.#datagramBytes += bytes.length;
    return true;
  }

  /** Something about the stream changed. */
  ready(stream: QmuxSendStream): void {
    this.#starved.delete(stream);
    if (stream.wireId === undefined) this.#lanesOf(stream).add(stream, stream.priority);
    else if (stream.sendable) this.#ready.add(stream, stream.priority);
  }

  /** Its reset by us. A stream that is not on the wire yet just goes, unless the peer would write to it. */
  reset(stream: QmuxSendStream, code: number): void {
    const { wireId: id, sentBytes: finalSize } = stream;
    if (id !== undefined) this.control(() => encodeFrame({ type: 'reset-stream', id, code, finalSize }));
    else if (stream.bidirectional) {
      this.#bornReset.set(stream, code);
      this.ready(stream);
    }
  }

  /** It has ended. */
  forget(stream: QmuxSendStream): void {
    this.#starved.delete(stream);
    this.#ready.delete(stream);
    if (!this.#bornReset.has(stream)) this.#lanesOf(stream).delete(stream);
  }

  clear(): void {
    this.#control.clear();
    this.#datagrams = [];
    this.#ready.clear();
    this.#fresh.uni.clear();
    this.#fresh.bidi.clear();
    this.#starved.clear();
    this.#bornReset.clear();
  }

  /** The next message; undefined when there is nothing that may be sent now. */
  nextRecord(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    let room = defaultMaxRecordBytes;
    for (const [key, make] of this.#control) {
      if (room < maxControlBytes) break;
      this.#control.delete(key);
      const frame = make();
      pieces.push(frame);
      room -= frame.length;
    }
    if (this.#peer !== defaultParameters) {
      room = this.#putDatagrams(pieces, room);
      while (room >= maxStreamHeaderBytes * 2) {
        const stream = this.#pick();
        if (stream === undefined) break;
        room = this.#putStream(stream, pieces, room);
      }
    }
    return pieces.length === 0 ? undefined : concat(pieces);
  }

  #putDatagrams(pieces: Uint8Array[], roomBefore: number): number {
    let room = roomBefore;
    let sent = 0;
    for (const bytes of this.#datagrams) {
      if (bytes.length + maxDatagramHeaderBytes > room) break;
      const header = encodeDatagramHeader(bytes.length);
      pieces.push(header, bytes);
      room -= header.length + bytes.length;
      this.#datagramBytes -= bytes.length;
      sent++;
    }
    this.#datagrams.splice(0, sent);
    // The next one goes before any stream: with the next record.
    return this.#datagrams.length > 0 ? 0 : room;
  }

  #pick(): QmuxSendStream | undefined {
    for (;;) {
      let lanes = this.#ready;
      for (const kind of ['uni', 'bidi'] as const) {
        if (this.#openedCount[kind] >= this.#openLimit[kind]) continue;
        if ((this.#fresh[kind].top ?? -Infinity) > (lanes.top ?? -Infinity)) lanes = this.#fresh[kind];
      }
      const stream = lanes.first();
      if (stream === undefined || stream.queuedBytes === 0 || this.#sentBytes < this.#credit) return stream;
      lanes.delete(stream);
      this.#starved.add(stream);
    }
  }

  #putStream(stream: QmuxSendStream, pieces: Uint8Array[], room: number): number {
    const id = this.#wireIdOf(stream);
    const resetCode = this.#bornReset.get(stream);
    if (resetCode !== undefined) {
      this.#bornReset.delete(stream);
      const frame = encodeFrame({ type: 'reset-stream', id, code: resetCode, finalSize: 0 });
      pieces.push(frame);
      return room - frame.length;
    }
    const offset = stream.sentBytes;
    const at = pieces.length;
    const most = Math.min(room - maxStreamHeaderBytes, maxStreamFrameData, this.#credit - this.#sentBytes);
    const { length, fin } = stream.take(most, pieces);
    const header = encodeStreamHeader(id, offset, length, fin);
    pieces.splice(at, 0, header);
    this.#sentBytes += length;
    this.#ready.delete(stream);
    if (stream.sendable) this.#ready.add(stream, stream.priority);
    return room - header.length - length;
  }

  #wireIdOf(stream: QmuxSendStream): number {
    if (stream.wireId !== undefined) return stream.wireId;
    this.#lanesOf(stream).delete(stream);
    const index = this.#openedCount[stream.bidirectional ? 'bidi' : 'uni']++;
    const id = index * 4 + this.#initiator + (stream.bidirectional ? 0 : 2);
    stream.wireId = id;
    stream.credit = stream.bidirectional
      ? this.#peer.initialMaxStreamDataBidiRemote
      : this.#peer.initialMaxStreamDataUni;
    this.#opened(stream);
    return id;
  }

  #lanesOf(stream: QmuxSendStream): PriorityLanes<QmuxSendStream> {
    return stream.bidirectional ? this.#fresh.bidi : this.#fresh.uni;
  }
}
