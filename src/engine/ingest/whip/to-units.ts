import { writeOpusHead } from '../../../codec/opus/opus-head.ts';
import { opusSamples } from '../../../codec/opus/packet.ts';
import type { OrderedPacket } from '../../../codec/rtp/reorder-buffer.ts';
import type { OfferedMedia } from '../../../codec/sdp/publish-offer.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../../core/media-unit.ts';
import { AvClock } from './av-clock.ts';
import { type PictureReader, pictureReader } from './picture-reader.ts';

/** When a packet came: `now` by a clock that never goes back, `wallClock` since the Unix epoch; ms both. */
export type Arrival = { now: number; wallClock: number };

/**
 * RTP packets in order to access units: video at 90 kHz, Opus at 48 kHz, on one clock. After a loss pictures are left out
 * until a keyframe comes. Throws MALFORMED.
 */
export class WhipToUnits {
  readonly #clock = new AvClock();
  readonly #pictures: PictureReader | undefined;
  #waiting = true;
  #videoDts = Number.NEGATIVE_INFINITY;
  #audioDts = Number.NEGATIVE_INFINITY;
  #audioConfig: Uint8Array | undefined;

  constructor(tracks: readonly OfferedMedia[]) {
    for (const { codec } of tracks) if (codec !== 'opus') this.#pictures = pictureReader(codec);
  }

  /** Nothing can be shown before a keyframe comes. */
  get needsKeyframe(): boolean {
    return this.#pictures !== undefined && this.#waiting;
  }

  push(kind: 'video' | 'audio', packet: OrderedPacket, arrival: Arrival): MediaUnit[] {
    return kind === 'video' ? this.#video(packet, arrival) : this.#audio(packet, arrival);
  }

  senderReport(kind: 'video' | 'audio', ntp: bigint, timestamp: number): void {
    this.#clock.senderReport(kind, ntp, timestamp);
  }

  #video(packet: OrderedPacket, { now, wallClock }: Arrival): VideoUnit[] {
    if (packet.afterLoss) this.#waiting = true;
    return (this.#pictures?.(packet) ?? []).flatMap(({ timestamp, afterLoss, ...picture }) => {
      this.#waiting = !picture.keyframe && (this.#waiting || afterLoss);
      if (this.#waiting) return [];
      const time = Math.round(this.#clock.map('video', timestamp, now) * 90_000);
      this.#videoDts = Math.max(this.#videoDts, time);
      const times = { timescale: 90_000, dts: this.#videoDts, pts: this.#videoDts };
      return [{ kind: 'video', ...times, ...picture, arrivedAt: wallClock }];
    });
  }

  #audio({ packet }: OrderedPacket, { now, wallClock }: Arrival): AudioUnit[] {
    const { payload, timestamp } = packet;
    const duration = opusSamples(payload);
    // A TOC byte alone: the sender is silent, and there is nothing to decode (RFC 6716 3.2.1).
    if (duration === 0 || payload.length < 2) return [];
    const dts = Math.round(this.#clock.map('audio', timestamp, now) * 48_000);
    if (dts <= this.#audioDts) return [];
    this.#audioDts = dts;
    const unit: AudioUnit = {
      ...{ kind: 'audio', codec: 'opus', timescale: 48_000, dts, pts: dts, duration },
      data: payload,
      arrivedAt: wallClock,
    };
    if (this.#audioConfig !== undefined) return [unit];
    // The encoder may change between mono and stereo; a decoder of two channels takes both (RFC 7587 4.1).
    this.#audioConfig = writeOpusHead(2);
    return [{ ...unit, config: this.#audioConfig }];
  }
}
