import type { ViewerGap, ViewerObject } from '../../src/sdk/index.ts';

export type TrackPicture = {
  track: string;
  kind: 'video' | 'audio';
  groups: number;
  objects: number;
  bytes: number;
  gaps: number;
  /** Bits per second over the last seconds. */
  bitrate: number;
  /** Of the last media object, ms. */
  latencyMs?: number;
};

export type Summary = {
  version: 1;
  type: 'summary';
  groups: number;
  objects: number;
  bytes: number;
  gaps: number;
  latencyMs: { p50?: number; p99?: number };
  joinMs?: number;
};

type Track = TrackPicture & { lastGroup: number; recent: { at: number; bytes: number }[] };

const windowMs = 2000;
const keptLatencies = 100_000;

/** Counts what a viewer receives. Times are ms since the Unix epoch, handed in. */
export class WatchStatistics {
  readonly #tracks = new Map<string, Track>();
  readonly #latencies: number[] = [];
  #latencyIndex = 0;
  #joinedAt: number | undefined;

  /** A media object has flowed. */
  get flowed(): boolean {
    return this.#joinedAt !== undefined;
  }

  object({ track: name, kind, groupId, objectId, payload, receivedAt, latencyMs }: ViewerObject): void {
    const track = this.#track(name, kind);
    if (groupId !== track.lastGroup) {
      track.lastGroup = groupId;
      track.groups++;
    }
    track.objects++;
    track.bytes += payload.length;
    track.recent.push({ at: receivedAt, bytes: payload.length });
    if (objectId === 0) return;
    this.#joinedAt ??= receivedAt;
    if (latencyMs === undefined) return;
    track.latencyMs = latencyMs;
    // What was published before we joined came from the relay's cache: its age is not a delay.
    if (receivedAt - latencyMs >= this.#joinedAt) this.#latency(latencyMs);
  }

  gap({ track: name }: ViewerGap): void {
    const track = this.#tracks.get(name);
    if (track !== undefined) track.gaps++;
  }

  /** A new session: its first objects come from the cache again. */
  rejoined(at: number): void {
    if (this.#joinedAt !== undefined) this.#joinedAt = at;
  }

  tracks(now: number): TrackPicture[] {
    return [...this.#tracks.values()].map(({ lastGroup: _, recent, ...track }) => {
      while (recent.length > 0 && recent[0]!.at < now - windowMs) recent.shift();
      const since = recent[0]?.at ?? now;
      const bytes = recent.reduce((sum, sample) => sum + sample.bytes, 0);
      return { ...track, bitrate: Math.round((bytes * 8000) / Math.max(now - since, 500)) };
    });
  }

  summary(joinMs: number | undefined): Summary {
    const sum = (field: 'groups' | 'objects' | 'bytes' | 'gaps') =>
      [...this.#tracks.values()].reduce((total, track) => total + track[field], 0);
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    const p50 = at(0.5);
    const p99 = at(0.99);
    return {
      version: 1,
      type: 'summary',
      groups: sum('groups'),
      objects: sum('objects'),
      bytes: sum('bytes'),
      gaps: sum('gaps'),
      latencyMs: p50 === undefined || p99 === undefined ? {} : { p50: tenth(p50), p99: tenth(p99) },
      ...(joinMs === undefined ? {} : { joinMs: Math.round(joinMs) }),
    };
  }

  #latency(latencyMs: number): void {
    this.#latencies[this.#latencyIndex] = latencyMs;
    this.#latencyIndex = (this.#latencyIndex + 1) % keptLatencies;
  }

  #track(name: string, kind: 'video' | 'audio'): Track {
    let track = this.#tracks.get(name);
    if (track === undefined) {
      track = { track: name, kind, groups: 0, objects: 0, bytes: 0, gaps: 0, bitrate: 0, lastGroup: -1, recent: [] };
      this.#tracks.set(name, track);
    }
    return track;
  }
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
