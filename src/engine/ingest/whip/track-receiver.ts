import { type RtpPacket, unwrapRetransmission } from '../../../codec/rtp/packet.ts';
import { Reception } from '../../../codec/rtp/reception.ts';
import { type OrderedPacket, ReorderBuffer } from '../../../codec/rtp/reorder-buffer.ts';
import { writeNack, writePictureLoss } from '../../../codec/rtp/rtcp.ts';
import type { OfferedMedia } from '../../../codec/sdp/publish-offer.ts';

/** How long a missing packet is waited for, ms: a few round trips for video; audio is not sent again. */
const videoWaitMs = 300;
const audioWaitMs = 60;
const maxPackets = 2048;
const nackAgainMs = 40;

/** What arrives of one track: counted, in order, and asked for again. Times in ms of a clock that never goes back. */
export class TrackReceiver {
  readonly track: OfferedMedia;
  readonly #clockRate: number;
  readonly #sender: number;
  #ssrc: number | undefined;
  #buffer: ReorderBuffer;
  #reception: Reception | undefined;
  #lostBefore = 0;
  bytes = 0;

  /** `sender`: our source number in RTCP. */
  constructor(track: OfferedMedia, sender: number) {
    this.track = track;
    this.#sender = sender;
    this.#clockRate = track.kind === 'video' ? 90_000 : 48_000;
    this.#buffer = this.#newBuffer();
  }

  /** Packets that never came. */
  get lost(): number {
    return this.#lostBefore + this.#buffer.lost;
  }

  get jitterMs(): number {
    return this.#reception?.jitterMs ?? 0;
  }

  /** Of this track: by its payload types. */
  takes(packet: RtpPacket): boolean {
    return packet.payloadType === this.track.payloadType || packet.payloadType === this.track.retransmission;
  }

  push(packet: RtpPacket, now: number): OrderedPacket[] {
    const { payloadType } = this.track;
    let received: RtpPacket | undefined = packet;
    if (packet.payloadType !== payloadType) {
      if (this.#ssrc === undefined) return [];
      received = unwrapRetransmission(packet, payloadType, this.#ssrc);
      if (received === undefined) return [];
    } else {
      if (packet.ssrc !== this.#ssrc) this.#begin(packet.ssrc);
      this.#reception!.push(packet, now);
    }
    this.bytes += received.payload.length;
    return this.#buffer.push(received, now);
  }

  /** What is in order because the wait for something is over. */
  expire(now: number): OrderedPacket[] {
    return this.#buffer.expire(now);
  }

  senderReport(ssrc: number, ntp: bigint, now: number): boolean {
    if (ssrc !== this.#ssrc) return false;
    this.#reception!.senderReport(ntp, now);
    return true;
  }

  /** A request for what is missing, when it is time for one. */
  nack(now: number): Uint8Array | undefined {
    if (this.track.kind === 'audio' || this.#ssrc === undefined) return undefined;
    const wanted = this.#buffer.wanted(now, nackAgainMs);
    return wanted.length === 0 ? undefined : writeNack(this.#sender, this.#ssrc, wanted);
  }

  /** A request for a keyframe. */
  keyframeRequest(): Uint8Array | undefined {
    return this.#ssrc === undefined ? undefined : writePictureLoss(this.#sender, this.#ssrc);
  }

  report(now: number) {
    return this.#reception?.block(now);
  }

  /** The first packet, or those of another source under the same payload type: a sender that began anew. */
  #begin(ssrc: number): void {
    this.#lostBefore += this.#buffer.lost;
    this.#ssrc = ssrc;
    this.#buffer = this.#newBuffer();
    this.#reception = new Reception(ssrc, this.#clockRate);
  }

  #newBuffer(): ReorderBuffer {
    return new ReorderBuffer(
      this.track.kind === 'video'
        ? { waitMs: videoWaitMs, minRequests: 5, maxPackets }
        : { waitMs: audioWaitMs, maxPackets },
    );
  }
}
