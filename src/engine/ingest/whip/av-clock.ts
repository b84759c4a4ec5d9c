import { SourceClock } from '../source-clock.ts';

type Kind = 'video' | 'audio';

type Track = {
  clock: SourceClock;
  rate: number;
  /** Newest timestamp as sent, and where it stands on the unwrapped clock. */
  raw: number;
  out: number;
  /** Seconds: source time minus media time of this track. */
  shift: number;
  /** Seconds: the sender's NTP time minus media time, from its newest sender report. */
  ntp: number | undefined;
};

/** Seconds a frame by which a wrong guess is made good, and the most that is not made good at once. */
const slew = 0.002;
const maxSlewed = 0.5;

/**
 * RTP timestamps of a sender's tracks on one source clock (seconds). Where the tracks stand to each other is guessed from
 * when they came, until sender reports (RFC 3550 6.4.1) tell it; then video follows audio, a little with each frame, and
 * keeps doing so, so that clocks of two devices do not drift apart.
 */
export class AvClock {
  readonly #tracks = new Map<Kind, Track>();
  #origin: number | undefined;

  /** `now`: ms of a clock that never goes back, when the packet came. */
  map(kind: Kind, timestamp: number, now: number): number {
    let track = this.#tracks.get(kind);
    if (track === undefined) {
      const rate = kind === 'video' ? 90_000 : 48_000;
      const clock = new SourceClock({ ticksPerMs: rate / 1000, bits: 32 });
      const out = clock.map(kind, timestamp);
      this.#origin ??= now;
      track = { clock, rate, raw: timestamp, out, shift: (now - this.#origin) / 1000 - out / rate, ntp: undefined };
      this.#tracks.set(kind, track);
    } else {
      const before = track.out;
      track.out = track.clock.map(kind, timestamp);
      track.raw = timestamp;
      if (kind === 'video') this.#follow(track, (track.out - before) / track.rate);
    }
    return track.out / track.rate + track.shift;
  }

  /** `ntp`: 64-bit NTP timestamp of the report, `timestamp` the RTP one beside it. */
  senderReport(kind: Kind, ntp: bigint, timestamp: number): void {
    const track = this.#tracks.get(kind);
    if (track === undefined || ntp === 0n) return;
    const media = (track.out + ((timestamp - track.raw) | 0)) / track.rate;
    track.ntp = Number(ntp >> 32n) + Number(ntp & 0xffff_ffffn) / 2 ** 32 - media;
  }

  /** `step`: seconds since the frame before. */
  #follow(video: Track, step: number): void {
    const audio = this.#tracks.get('audio');
    if (audio?.ntp === undefined || video.ntp === undefined) return;
    const off = audio.shift - audio.ntp + video.ntp - video.shift;
    if (!Number.isFinite(off)) return;
    const far = Math.abs(off) > maxSlewed;
    // Forward it may jump; backward time must not stand still, so it goes at half its pace.
    if (off > 0) video.shift += far ? off : Math.min(slew, off);
    else video.shift += Math.max(off, -Math.min(far ? step : slew, step / 2));
  }
}
