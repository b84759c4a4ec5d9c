import { type Ack, encodeAck } from '../../../codec/srt/ack.ts';
import { extensionType } from '../../../codec/srt/handshake.ts';
import { decodeKeyMaterial } from '../../../codec/srt/key-material.ts';
import { encodeLossList, type LossRange } from '../../../codec/srt/loss-list.ts';
import { type ControlPacket, controlType, type DataPacket, encodeControl } from '../../../codec/srt/packet.ts';
import { sequenceDistance } from '../../../codec/srt/sequence.ts';
import { ByteReader, bytesEqual, emptyBytes } from '../../../core/bytes.ts';
import type { Decryption } from './decryption.ts';
import { type Insertion, type Packet, ReceiveBuffer } from './receive-buffer.ts';
import { RoundTrip } from './round-trip.ts';
import { SenderClock } from './sender-clock.ts';

export type ConnectionOptions = {
  /** The caller's socket: where everything we send is addressed to. */
  peerSocketId: number;
  initialSequence: number;
  /** Between arrival and delivery. Milliseconds. */
  latencyMs: number;
  /** The conclusion: its stamp on the caller's clock (microseconds), and when it came (ms, our clock). */
  began: { timestamp: number; now: number };
  decryption: Decryption | undefined;
  /** Without a packet from the caller. */
  idleMs: number;
  send(datagram: Uint8Array): void;
  /** A payload whose turn has come; `arrivedAt` is ms since the Unix epoch. */
  deliver(payload: Uint8Array, arrivedAt: number): void;
  /** Packets were given up: bytes are missing before the next payload. */
  gap(packets: number): void;
  /** The caller said goodbye (everything that came has been delivered), or was silent for too long. Called once. */
  ended(why: 'shutdown' | 'silent'): void;
};

export type ConnectionStats = {
  packets: number;
  bytes: number;
  /** Were not there when one after them came; most come yet. */
  missing: number;
  /** Came because they were asked for again. */
  retransmitted: number;
  /** Given up, too late to be of use. */
  lost: number;
  /** Came again. */
  duplicates: number;
  /** Encrypted with a key that is not known, or not encrypted where the rest is. */
  undecryptable: number;
  /** NAKed, each time it was. */
  requested: number;
  rttMs: number;
};

/** Packets: the flow window we announce. A power of two. */
export const windowPackets = 8192;
const nakBodyBytes = 1456;
/** Milliseconds. */
const keepAliveAfter = 1000;
const shortestNakInterval = 20;
/** A sender's clock further ahead than this is not believed: one wrong stamp must not hold up the stream. */
const mostAhead = 1000;
/** Packets after which an ACK does not wait for the next tick (draft-sharabayko-srt-01 section 4.8.1). */
const lightAckEvery = 64;
/** Bounds what key derivations cost. */
const rekeyEvery = 500;

/** The receiving half of an SRT connection: loss recovery and timed delivery. Time is handed in; ticks come every 10 ms. */
export class SrtConnection {
  readonly #options: ConnectionOptions;
  readonly #buffer: ReceiveBuffer;
  readonly #clock: SenderClock;
  readonly #roundTrip = new RoundTrip();
  readonly #began: number;
  #ended = false;
  /** The newest packet that the window did not hold. */
  #beyond: number | undefined;
  #lastHeard: number;
  #lastSent: number;
  #acknowledged: number;
  #ackSentAt = 0;
  #ackAnswered = true;
  #sinceAck = 0;
  #nakSentAt = 0;
  #rekeyedAt = Number.NEGATIVE_INFINITY;
  #keyAnswer: { request: Uint8Array; response: Uint8Array } | undefined;
  #rates = { at: 0, packets: 0, bytes: 0, packetRate: 0, byteRate: 0 };
  readonly #stats = {
    packets: 0,
    bytes: 0,
    missing: 0,
    retransmitted: 0,
    lost: 0,
    duplicates: 0,
    undecryptable: 0,
    requested: 0,
  };

  constructor(options: ConnectionOptions) {
    const { initialSequence, began } = options;
    this.#options = options;
    this.#buffer = new ReceiveBuffer(initialSequence, windowPackets);
    this.#clock = new SenderClock(began.timestamp, began.now);
    this.#began = began.now;
    this.#lastHeard = began.now;
    this.#lastSent = began.now;
    this.#acknowledged = initialSequence;
    this.#rates.at = began.now;
  }

  get stats(): ConnectionStats {
    return { ...this.#stats, rttMs: Math.round(this.#roundTrip.rtt * 10) / 10 };
  }

  /** `now`: ms of the steady clock; `arrivedAt`: ms since the Unix epoch. Throws MALFORMED for a control packet that is none. */
  receive(packet: DataPacket | ControlPacket, now: number, arrivedAt: number): void {
    if (this.#ended) return;
    this.#lastHeard = now;
    if (packet.kind === 'data') this.#data(packet, now, arrivedAt);
    else this.#control(packet, now);
  }

  /** `mayGiveUp` false: packets that are late by our own fault may be waiting in the socket. */
  tick(now: number, mayGiveUp: boolean): void {
    if (this.#ended) return;
    this.#deliver(now, mayGiveUp);
    if (this.#ended) return;
    if (now - this.#lastHeard > this.#options.idleMs) {
      this.close(now);
      this.#options.ended('silent');
      return;
    }
    this.#fullAck(now);
    const interval = Math.max(shortestNakInterval, (this.#roundTrip.rtt + 4 * this.#roundTrip.variance) / 2);
    if (now - this.#nakSentAt >= interval) this.#nak(this.#buffer.missing, now);
    if (now - this.#lastSent >= keepAliveAfter) this.#send(controlType.keepAlive, 0, emptyBytes, now);
  }

  /** Tells the caller that it is over; `ended` is not called. */
  close(now: number): void {
    if (this.#ended) return;
    this.#ended = true;
    // One word of zeros: libsrt pads empty control packets so.
    this.#send(controlType.shutdown, 0, new Uint8Array(4), now);
  }

  #data(packet: DataPacket, now: number, arrivedAt: number): void {
    const { decryption } = this.#options;
    const encrypted = packet.key !== 'none';
    const payload = decryption === undefined && !encrypted ? packet.payload : decryption?.open(packet);
    if (payload === undefined) {
      this.#stats.undecryptable++;
      return;
    }
    const sent = Math.min(this.#clock.toLocal(packet.timestamp), now + mostAhead);
    const due = sent + this.#options.latencyMs;
    const inserted = this.#insert(packet.sequence, { due, payload, arrivedAt });
    if (inserted.kind !== 'taken') {
      this.#stats.duplicates++;
      return;
    }
    this.#stats.packets++;
    this.#stats.bytes += payload.length;
    if (packet.retransmitted) this.#stats.retransmitted++;
    if (inserted.lost !== undefined) {
      this.#stats.missing += sequenceDistance(inserted.lost.first, inserted.lost.last) + 1;
      this.#nak([inserted.lost], now);
    }
    if (++this.#sinceAck >= lightAckEvery) {
      this.#sinceAck = 0;
      this.#send(controlType.ack, 0, encodeAck({ next: this.#buffer.acknowledged }), now);
    }
  }

  /** A packet beyond the window shows an outage that the window does not hold: what is there goes on, and the rest begins anew. */
  #insert(sequence: number, packet: Packet): Insertion {
    const inserted = this.#buffer.insert(sequence, packet);
    if (inserted.kind !== 'beyond') {
      if (inserted.kind === 'taken') this.#beyond = undefined;
      return inserted;
    }
    // One stray packet is not a stream: the next one has to be near it.
    const before = this.#beyond;
    this.#beyond = sequence;
    if (before === undefined || Math.abs(sequenceDistance(before, sequence)) > lightAckEvery) return inserted;
    this.#deliver(Number.POSITIVE_INFINITY, true);
    if (this.#ended) return inserted;
    const lost = this.#buffer.restart(sequence);
    this.#stats.lost += lost;
    this.#options.gap(lost);
    return this.#buffer.insert(sequence, packet);
  }

  #control(packet: ControlPacket, now: number): void {
    switch (packet.type) {
      case controlType.ackAck:
        if (!this.#roundTrip.acknowledged(packet.info, now)) return;
        this.#ackAnswered = true;
        this.#clock.observe(packet.timestamp, now);
        return;
      case controlType.dropRequest: {
        const reader = new ByteReader(packet.body);
        this.#buffer.giveUp(reader.u32() & 0x7fff_ffff, reader.u32() & 0x7fff_ffff);
        return;
      }
      case controlType.shutdown:
        // Nothing more comes: what is here goes on at once.
        this.#deliver(Number.POSITIVE_INFINITY, true);
        if (this.#ended) return;
        this.#ended = true;
        this.#options.ended('shutdown');
        return;
      case controlType.userDefined:
        if (packet.subtype === extensionType.keyMaterialRequest) this.#rekey(packet.body, now);
        return;
    }
  }

  #deliver(now: number, mayGiveUp: boolean): void {
    for (let taken = this.#buffer.take(now, mayGiveUp); taken !== undefined; ) {
      if (taken.givenUp > 0) {
        this.#stats.lost += taken.givenUp;
        this.#options.gap(taken.givenUp);
      }
      this.#options.deliver(taken.packet.payload, taken.packet.arrivedAt);
      // A delivery can close the connection.
      taken = this.#ended ? undefined : this.#buffer.take(now, mayGiveUp);
    }
  }

  #fullAck(now: number): void {
    const next = this.#buffer.acknowledged;
    const { rtt, variance } = this.#roundTrip;
    const again = !this.#ackAnswered && now - this.#ackSentAt > rtt + 4 * variance;
    if (next === this.#acknowledged && !again) return;
    this.#acknowledged = next;
    this.#ackSentAt = now;
    this.#ackAnswered = false;
    this.#sinceAck = 0;
    this.#measureRates(now);
    const { packetRate, byteRate } = this.#rates;
    const ack: Ack = {
      next,
      details: {
        rtt: Math.round(rtt * 1000),
        rttVariance: Math.round(variance * 1000),
        availableBuffer: Math.max(2, this.#buffer.available),
        packetRate,
        // Not measured; live mode does not ask.
        linkCapacity: 0,
        byteRate,
      },
    };
    this.#send(controlType.ack, this.#roundTrip.acknowledge(now), encodeAck(ack), now);
  }

  #measureRates(now: number): void {
    const seconds = (now - this.#rates.at) / 1000;
    if (seconds < 1) return;
    const { packets, bytes } = this.#stats;
    const packetRate = Math.round((packets - this.#rates.packets) / seconds);
    this.#rates = { at: now, packets, bytes, packetRate, byteRate: Math.round((bytes - this.#rates.bytes) / seconds) };
  }

  #nak(ranges: readonly LossRange[], now: number): void {
    this.#nakSentAt = now;
    if (ranges.length === 0) return;
    this.#stats.requested += ranges.length;
    this.#send(controlType.nak, 0, encodeLossList(ranges, nakBodyBytes), now);
  }

  /** New session keys in the middle of the stream; a repeated request gets the same answer. */
  #rekey(body: Uint8Array, now: number): void {
    const { decryption } = this.#options;
    if (decryption === undefined) return;
    if (this.#keyAnswer === undefined || !bytesEqual(this.#keyAnswer.request, body)) {
      if (now - this.#rekeyedAt < rekeyEvery) return;
      this.#rekeyedAt = now;
      if (!decryption.accept(decodeKeyMaterial(body))) return;
      this.#keyAnswer = { request: body.slice(), response: body.slice() };
    }
    const { response } = this.#keyAnswer;
    this.#send(controlType.userDefined, 0, response, now, extensionType.keyMaterialResponse);
  }

  #send(type: number, info: number, body: Uint8Array, now: number, subtype = 0): void {
    this.#lastSent = now;
    const timestamp = Math.round((now - this.#began) * 1000) % 2 ** 32;
    this.#options.send(
      encodeControl({ type, subtype, info, timestamp, destination: this.#options.peerSocketId, body }),
    );
  }
}
