/** ACKs whose ACKACK may still come. */
const remembered = 64;

/** Round-trip time from ACK to ACKACK (draft-sharabayko-srt-01 section 4.10). Milliseconds. */
export class RoundTrip {
  readonly #sent = new Map<number, number>();
  #number = 0;
  #measured = false;
  rtt = 100;
  variance = 50;

  /** Number of the ACK that is being sent. */
  acknowledge(now: number): number {
    this.#number = (this.#number + 1) >>> 0;
    this.#sent.set(this.#number, now);
    if (this.#sent.size > remembered)
      for (const oldest of this.#sent.keys()) {
        this.#sent.delete(oldest);
        break;
      }
    return this.#number;
  }

  /** False for a number that was not sent or is answered already. */
  acknowledged(number: number, now: number): boolean {
    const sentAt = this.#sent.get(number);
    if (sentAt === undefined) return false;
    this.#sent.delete(number);
    const sample = now - sentAt;
    if (this.#measured) {
      this.variance = (this.variance * 3 + Math.abs(this.rtt - sample)) / 4;
      this.rtt = (this.rtt * 7 + sample) / 8;
    } else {
      this.rtt = sample;
      this.variance = sample / 2;
      this.#measured = true;
    }
    return true;
  }
}
