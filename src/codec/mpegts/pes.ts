/** Usually one access unit of video, or several frames of audio. Times in 90 kHz ticks, 33 bits. */
export type PesPacket = { pts: number; dts: number; data: Uint8Array };

/** Header of a PES packet (ISO 13818-1 2.4.3.7); undefined when it has no PTS or is damaged. */
export function parsePes(bytes: Uint8Array): PesPacket | undefined {
  if (bytes.length < 9 || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) return undefined;
  const flags = bytes[7]! >> 6;
  const headerEnd = 9 + bytes[8]!;
  if (!(flags & 2) || headerEnd > bytes.length || bytes[8]! < (flags === 3 ? 10 : 5)) return undefined;
  const pts = timestamp(bytes, 9);
  return { pts, dts: flags === 3 ? timestamp(bytes, 14) : pts, data: bytes.subarray(headerEnd) };
}

function timestamp(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >> 1) & 7;
  const middle = ((bytes[at + 1]! << 8) | bytes[at + 2]!) >> 1;
  const low = ((bytes[at + 3]! << 8) | bytes[at + 4]!) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

/** `afterLoss`: bytes between the packet before and this one are missing. */
export type WholePes = PesPacket & { afterLoss: boolean };

/** Puts the PES packets of one PID together; a lost packet drops the one it belonged to. Holds at most `maxBytes`. */
export class PesAssembler {
  readonly #maxBytes: number;
  // Payloads are copied here at once: views would keep whole datagrams alive for a byte each.
  #buffer = new Uint8Array(4096);
  #bytes = 0;
  /** Declared length; 0 where it is open (video). */
  #want = 0;
  #open = false;
  #continuity = -1;
  #lossy = false;
  /** Packets missing by the continuity counter. */
  lostPackets = 0;
  /** PES packets dropped because a part of them was missing or they were too large. */
  droppedPes = 0;

  constructor(maxBytes = 8 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /** PES packets that this transport packet completes. */
  push(packet: { start: boolean; continuity: number; discontinuity: boolean; payload: Uint8Array }): WholePes[] {
    const done: WholePes[] = [];
    if (packet.payload.length === 0) return done;
    // Sent twice (2.4.3.3).
    if (this.#continuity === packet.continuity && !packet.discontinuity) return done;
    const expected = (this.#continuity + 1) & 15;
    if (this.#continuity >= 0 && packet.continuity !== expected && !packet.discontinuity) {
      this.lostPackets += (packet.continuity - expected + 16) & 15;
      this.#drop();
    }
    this.#continuity = packet.continuity;
    if (packet.start) {
      const previous = this.flush();
      if (previous !== undefined) done.push(previous);
      this.#open = true;
      const length = packet.payload.length >= 6 ? (packet.payload[4]! << 8) | packet.payload[5]! : 0;
      this.#want = length === 0 ? 0 : length + 6;
    }
    if (!this.#open) return done;
    if (this.#bytes + packet.payload.length > this.#maxBytes) {
      this.#drop();
      return done;
    }
    this.#append(packet.payload);
    if (this.#want > 0 && this.#bytes >= this.#want) {
      const whole = this.flush();
      if (whole !== undefined) done.push(whole);
    }
    return done;
  }

  /** What was collected, as the stream has ended or the next packet begins. */
  flush(): WholePes | undefined {
    if (!this.#open) return undefined;
    if (this.#bytes === 0 || this.#bytes < this.#want) {
      this.#drop();
      return undefined;
    }
    const pes = parsePes(this.#buffer.subarray(0, this.#want > 0 ? this.#want : this.#bytes));
    // The packet keeps the buffer; the next one is likely to be as long.
    this.#buffer = new Uint8Array(this.#buffer.length > 4 * this.#bytes ? 4096 : this.#buffer.length);
    this.#reset();
    if (pes === undefined) {
      this.#lossy = true;
      return undefined;
    }
    const afterLoss = this.#lossy;
    this.#lossy = false;
    return { ...pes, afterLoss };
  }

  /** An unknown number of packets is missing here. */
  gap(): void {
    this.#drop();
    this.#continuity = -1;
  }

  #append(payload: Uint8Array): void {
    const bytes = this.#bytes + payload.length;
    if (bytes > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(bytes, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#bytes));
      this.#buffer = grown;
    }
    this.#buffer.set(payload, this.#bytes);
    this.#bytes = bytes;
  }

  #drop(): void {
    if (this.#open) this.droppedPes++;
    this.#lossy = true;
    this.#reset();
  }

  #reset(): void {
    this.#bytes = 0;
    this.#want = 0;
    this.#open = false;
  }
}
