import { describeAudio, describeVideo } from '../../../codec/cmaf/describe.ts';
import { writeFragment } from '../../../codec/cmaf/fragment.ts';
import { writeInitSegment } from '../../../codec/cmaf/init-segment.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { MediaUnit } from '../../../core/media-unit.ts';
import { LeadingPictures } from '../../package/leading-pictures.ts';

/** Where the tracks go, as AssetWriter takes them. */
export type FileSink = {
  init(track: string, bytes: Uint8Array): void;
  fragment(track: string, bytes: Uint8Array): void;
};

type Kind = MediaUnit['kind'];

type Track = {
  readonly name: string;
  readonly trackId: number;
  /** Of its first unit, for all of it. */
  readonly timescale: number;
  /** Ticks to be taken off the times of its units. */
  readonly begin: number;
  sequence: number;
  /** The newest unit, which lasts until the next one. */
  held: { unit: MediaUnit; time: number; offset: number } | undefined;
  /** What the unit before `held` lasted, ticks. */
  step: number;
};

/** What waits for the first unit of the other track. */
const maxWaitingBytes = 64 << 20;

/**
 * Access units of a file to CMAF tracks of one unit a fragment. All times are those of the units, less the time at which the
 * earlier track begins. Nothing is guessed: a picture lasts until the next one. Pure: no clock, no I/O.
 */
export class FilePackager {
  readonly #sink: FileSink;
  /** The kinds of track of which no unit has come yet. */
  readonly #missing: Set<Kind>;
  readonly #tracks = new Map<Kind, Track>();
  readonly #leading = new LeadingPictures();
  #waiting: MediaUnit[] | undefined = [];
  #waitingBytes = 0;
  #waitingForKeyframe = true;
  /** Seconds at which the earlier track begins, as an exact fraction. */
  #begin = { ticks: 0, timescale: 1 };

  /** `expected`: the kinds of track that the file is known to have. */
  constructor(sink: FileSink, expected: readonly Kind[]) {
    this.#sink = sink;
    this.#missing = new Set(expected);
  }

  /** Throws MALFORMED when a configuration cannot be read. */
  push(unit: MediaUnit): void {
    if (unit.kind === 'video') {
      if (unit.config !== undefined) this.#waitingForKeyframe = true;
      if (this.#waitingForKeyframe && !unit.keyframe) return;
      if (this.#waitingForKeyframe) this.#leading.begin(unit);
      this.#waitingForKeyframe = false;
      if (this.#leading.has(unit)) return;
    }
    if (this.#waiting === undefined) {
      this.#take(unit);
      return;
    }
    this.#waiting.push(unit);
    this.#waitingBytes += unit.data.length;
    this.#missing.delete(unit.kind);
    if (this.#missing.size === 0 || this.#waitingBytes > maxWaitingBytes) this.#start();
  }

  /** The end of the file: what is held lasts as long as the one before it. */
  finish(): void {
    this.#start();
    for (const track of this.#tracks.values()) this.#flush(track, undefined);
  }

  #start(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    let first: MediaUnit | undefined;
    for (const unit of waiting)
      if (first === undefined || unit.dts / unit.timescale < first.dts / first.timescale) first = unit;
    if (first !== undefined) this.#begin = { ticks: first.dts, timescale: first.timescale };
    for (const unit of waiting) this.#take(unit);
  }

  #take(unit: MediaUnit): void {
    const track = this.#tracks.get(unit.kind);
    if (unit.config !== undefined) {
      if (track !== undefined) this.#flush(track, undefined);
      this.#init(unit, unit.config, track ?? this.#open(unit));
    }
    const open = this.#tracks.get(unit.kind);
    if (open === undefined) return;
    const scale = (ticks: number): number =>
      open.timescale === unit.timescale ? ticks : Math.round((ticks * open.timescale) / unit.timescale);
    const time = scale(unit.dts) - open.begin;
    // It was muxed so far behind the other track that nobody could know of it.
    if (time < 0) return;
    this.#flush(open, time);
    open.held = { unit, time, offset: scale(unit.pts) - scale(unit.dts) };
  }

  #open(unit: MediaUnit): Track {
    const { timescale, kind } = unit;
    const { ticks, timescale: of } = this.#begin;
    const video = unit.kind === 'video';
    const track: Track = {
      name: unit.kind === 'video' ? `video/${sizeOf(unit).height}p` : 'audio',
      trackId: video ? 1 : 2,
      timescale,
      begin: of === timescale ? ticks : Math.round((ticks * timescale) / of),
      sequence: 0,
      held: undefined,
      step: unit.kind === 'video' ? Math.round(timescale / (framerateOf(unit) ?? 30)) : unit.duration,
    };
    this.#tracks.set(kind, track);
    return track;
  }

  #init(unit: MediaUnit, config: Uint8Array, { name, trackId, timescale }: Track): void {
    if (unit.kind === 'video') {
      const { codec } = unit;
      this.#sink.init(name, writeInitSegment({ kind: 'video', codec, trackId, timescale, ...sizeOf(unit), config }));
    } else {
      const { codec } = unit;
      const { sampleRate, channels } = describeAudio(codec, config);
      this.#sink.init(
        name,
        writeInitSegment({ kind: 'audio', codec, trackId, timescale, sampleRate, channels, config }),
      );
    }
  }

  /** `next`: when the unit after the held one begins. */
  #flush(track: Track, next: number | undefined): void {
    const { held, trackId, timescale } = track;
    if (held === undefined) return;
    const { unit, time, offset } = held;
    track.held = undefined;
    const until = next === undefined ? track.step : Math.max(0, next - time);
    let duration = until;
    // A pause in the sound is no longer frame.
    if (unit.kind === 'audio') {
      const own = Math.round((unit.duration * timescale) / unit.timescale);
      duration = next === undefined ? own : Math.min(own, until);
    }
    track.step = duration;
    const keyframe = unit.kind === 'audio' || unit.keyframe;
    const { data, arrivedAt: wallClock } = unit;
    const sequence = ++track.sequence;
    const times = { decodeTime: time, duration, compositionOffset: offset };
    this.#sink.fragment(track.name, writeFragment({ trackId, sequence, ...times, keyframe, data, wallClock }));
  }
}

type VideoMediaUnit = Extract<MediaUnit, { kind: 'video' }>;

function sizeOf({ codec, config, size }: VideoMediaUnit): { width: number; height: number } {
  const found = (config && describeVideo(codec, config).size) ?? size;
  if (found === undefined) throw new StreamsError('MALFORMED', `${codec} without a picture size`);
  return found;
}

function framerateOf({ codec, config }: VideoMediaUnit): number | undefined {
  return config && describeVideo(codec, config).framerate;
}
