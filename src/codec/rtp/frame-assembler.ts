import type { OrderedPacket } from './reorder-buffer.ts';

/** The packets of one timestamp: a frame of video. */
export type RtpFrame<T> = {
  /** Of the payload's clock, 32 bits. */
  timestamp: number;
  content: T;
  /** Something before it is missing: only a keyframe can be decoded. */
  afterLoss: boolean;
};

/** What a payload format does with the payloads of one frame. */
export type PayloadReader<T> = {
  /** false: this frame cannot be put together. */
  add(payload: Uint8Array): boolean;
  /** The frame, undefined when it is not whole; begins the next one. */
  take(): T | undefined;
};

/**
 * Packets in order to frames: a frame ends with the marker bit or where the timestamp changes. A frame of which something
 * is missing, or might be, is left out.
 */
export class FrameAssembler<T> {
  readonly #reader: PayloadReader<T>;
  #timestamp: number | undefined;
  #damaged = false;
  #afterLoss = false;

  constructor(reader: PayloadReader<T>) {
    this.#reader = reader;
  }

  /** Frames that this packet completes: none, one or two. */
  push({ packet, afterLoss }: OrderedPacket): RtpFrame<T>[] {
    const frames: RtpFrame<T>[] = [];
    if (afterLoss) {
      // Whether the missing packets were of this frame cannot be known.
      this.#reader.take();
      this.#timestamp = packet.timestamp;
      this.#damaged = true;
    } else if (packet.timestamp !== this.#timestamp) {
      if (this.#timestamp !== undefined) this.#finish(frames);
      this.#timestamp = packet.timestamp;
    }
    // Probes for bandwidth are without a payload.
    if (packet.payload.length > 0 && !this.#damaged) this.#damaged = !this.#reader.add(packet.payload);
    if (packet.marker) {
      this.#finish(frames);
      this.#timestamp = undefined;
    }
    return frames;
  }

  #finish(frames: RtpFrame<T>[]): void {
    const content = this.#reader.take();
    if (this.#damaged) this.#afterLoss = true;
    else if (content !== undefined) {
      frames.push({ timestamp: this.#timestamp!, content, afterLoss: this.#afterLoss });
      this.#afterLoss = false;
    }
    this.#damaged = false;
  }
}
