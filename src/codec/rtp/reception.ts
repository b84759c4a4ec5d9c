import type { RtpPacket } from './packet.ts';

/** What a receiver report says of one source (RFC 3550 6.4.1). */
export type ReportBlock = {
  ssrc: number;
  /** Of the last interval, in 256ths. */
  fractionLost: number;
  /** Signed, 24 bits. */
  cumulativeLost: number;
  highestSequence: number;
  /** In ticks of the clock. */
  jitter: number;
  /** Middle 32 bits of the last sender report's NTP time, and how long ago it came, in 65536ths of a second. */
  lastSenderReport: number;
  delaySinceLast: number;
};

/** Counts what arrives of one source (RFC 3550 A.3 and A.8). Pure: the clock comes with the calls, in ms. */
export class Reception {
  readonly #ssrc: number;
  readonly #ticksPerMs: number;
  #first: number | undefined;
  #highest = 0;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #transit: number | undefined;
  #jitter = 0;
  #report: { middle: number; at: number } | undefined;

  constructor(ssrc: number, clockRate: number) {
    this.#ssrc = ssrc;
    this.#ticksPerMs = clockRate / 1000;
  }

  /** Retransmissions are not counted here: RFC 4588 has them as a stream of their own. */
  push(packet: RtpPacket, now: number): void {
    if (this.#first === undefined) {
      this.#first = packet.sequence;
      this.#highest = packet.sequence;
    }
    this.#highest = Math.max(this.#highest, this.#highest + (((packet.sequence - this.#highest) << 16) >> 16));
    this.#received++;
    const transit = (now * this.#ticksPerMs - packet.timestamp) % 2 ** 32;
    if (this.#transit !== undefined) {
      const difference = Math.abs(transit - this.#transit);
      // A wrap, or a jump of the sender's clock, is no jitter.
      if (difference < 10_000 * this.#ticksPerMs) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  senderReport(ntp: bigint, now: number): void {
    this.#report = { middle: Number((ntp >> 16n) & 0xffff_ffffn), at: now };
  }

  get jitterMs(): number {
    return this.#jitter / this.#ticksPerMs;
  }

  /** undefined before the first packet. */
  block(now: number): ReportBlock | undefined {
    if (this.#first === undefined) return undefined;
    const expected = this.#highest - this.#first + 1;
    const [expectedNow, receivedNow] = [expected - this.#expectedBefore, this.#received - this.#receivedBefore];
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const lostNow = Math.max(0, expectedNow - receivedNow);
    const since = this.#report === undefined ? 0 : Math.round(((now - this.#report.at) * 65_536) / 1000);
    return {
      ssrc: this.#ssrc,
      fractionLost: expectedNow === 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received)),
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
      lastSenderReport: this.#report?.middle ?? 0,
      delaySinceLast: since,
    };
  }
}
