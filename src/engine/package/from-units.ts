import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { describeAudio, describeVideo } from '../../codec/cmaf/describe.ts';
import { type FragmentSample, fragmentOverhead, writeFragment } from '../../codec/cmaf/fragment.ts';
import { writeInitSegment } from '../../codec/cmaf/init-segment.ts';
import { StreamsError } from '../../core/errors.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../core/media-unit.ts';
import { LeadingPictures } from './leading-pictures.ts';
import { SilenceGate, silentFrame } from './silence.ts';

/** Where the packager puts what it makes. Object ids count from 0 in every group. */
export type PackageSink = {
  /** The newest group of the track ends; this one begins. */
  beginGroup(track: string, groupId: number): void;
  object(track: string, payload: Uint8Array): void;
  /** The set of tracks, or what is known about one, changed. */
  catalog(catalog: Catalog): void;
  /** No keyframe came for so long that the group was cut where nobody can join. */
  cut?(track: string): void;
};

type Output = {
  name: string;
  trackId: number;
  timescale: number;
  init: Uint8Array;
  description: CatalogTrack;
  sequence: number;
  /** Decode time of the newest unit and its distance from the one before, in ticks. */
  last: number;
  step: number;
  /** Samples of a usual frame of sound. */
  frameLength: number;
  groupId: number | undefined;
  groupStart: number;
  groupBytes: number;
  /** Not in a catalog yet. */
  unannounced: boolean;
  /** Units of the fragment that is not full yet. */
  held: FragmentSample[];
  /** Bits of the current measure and the second (dts) it started at. */
  bits: number;
  bitsSince: number;
};

/** A group is cut at this size, keyframe or not: what follows it forgets the beginning of larger ones. */
const maxGroupBytes = 24 << 20;
/** Audio without video is cut into groups of a second. */
const audioGroupSeconds = 1;
/** After so long without a picture audio is cut on its own. */
const videoGoneSeconds = 3;
/** How long the first catalog waits for a second kind of track. */
const firstCatalogSeconds = 0.5;

/**
 * Access units to groups of CMAF objects: object 0 of every group is the init segment, then one fragment per unit, or per
 * `fragmentSeconds` at most where that was chosen. Video
 * groups begin at keyframes, or at their largest size; audio groups are cut at the same instants and share their numbers. Pure: no clock, no I/O.
 *
 * Group ids count up from `startedAt` (ms since the Unix epoch), so they also grow over restarts of the process; times begin
 * at `startedAt` too, so that a viewer who stays over a restart sees time go on.
 */
export class Packager {
  readonly #sink: PackageSink;
  readonly #startedAt: number;
  readonly #fragmentSeconds: number;
  #video: Output | undefined;
  #audio: Output | undefined;
  #lastGroup: number;
  /** Cuts that audio has not reached yet: seconds on the output clock. */
  #cuts: { at: number; groupId: number }[] = [];
  /** Seconds: output time minus source time; undefined until the first unit of a source. */
  #shift: number | undefined;
  #waitingForKeyframe = true;
  readonly #leading = new LeadingPictures();
  readonly #silence = new SilenceGate();
  /** Seconds (output clock) at which the broadcast began, until its first catalog is out. */
  #unannounced: number | undefined;
  #announced = false;

  constructor(sink: PackageSink, startedAt: number, fragmentSeconds = 0) {
    this.#sink = sink;
    this.#fragmentSeconds = fragmentSeconds;
    this.#startedAt = Math.floor(startedAt);
    this.#lastGroup = this.#startedAt - 1;
  }

  /** Another source takes over: its clock is joined to what went out, it begins with its own configurations and a keyframe. */
  restart(): void {
    this.#flushAll();
    this.#shift = undefined;
    this.#waitingForKeyframe = true;
    this.#cuts = [];
    this.#silence.restart();
  }

  /** Throws MALFORMED when a configuration cannot be read. */
  push(unit: MediaUnit): void {
    this.#shift ??= this.#anchor(unit);
    if (unit.kind === 'video') this.#pushVideo(unit);
    else this.#pushAudio(unit);
  }

  get catalog(): Catalog {
    const tracks = [this.#video, this.#audio].flatMap((output) =>
      output === undefined ? [] : [{ ...output.description }],
    );
    return { version: 1, live: true, tracks };
  }

  /** The last catalog of the broadcast. */
  end(): void {
    this.#flushAll();
    this.#sink.catalog({ ...this.catalog, live: false });
  }

  #anchor(unit: MediaUnit): number {
    let start = this.#startedAt / 1000;
    for (const output of [this.#video, this.#audio])
      if (output !== undefined) start = Math.max(start, (output.last + output.step) / output.timescale);
    return start - unit.dts / unit.timescale;
  }

  #pushVideo(unit: VideoUnit): void {
    if (unit.config !== undefined) {
      this.#flush(this.#video);
      this.#video = videoOutput(unit, unit.config, this.#video);
      this.#waitingForKeyframe = true;
    }
    const output = this.#video;
    if (output === undefined || (this.#waitingForKeyframe && !unit.keyframe)) return;
    if (this.#waitingForKeyframe) this.#leading.begin(unit);
    this.#waitingForKeyframe = false;
    if (this.#leading.has(unit)) return;
    const decodeTime = this.#decodeTime(output, unit.dts, unit.timescale);
    const overlong = output.groupBytes + unit.data.length > maxGroupBytes;
    if (unit.keyframe || overlong) {
      if (!unit.keyframe) this.#sink.cut?.(output.name);
      this.#begin(output, ++this.#lastGroup, decodeTime);
      this.#cuts.push({ at: decodeTime / output.timescale, groupId: this.#lastGroup });
      if (this.#cuts.length > 64) this.#cuts.shift();
      this.#announce(output);
    }
    const compositionOffset = Math.round(((unit.pts - unit.dts) * output.timescale) / unit.timescale);
    this.#write(output, unit, decodeTime, output.step, compositionOffset, unit.keyframe);
    this.#fillSilence(decodeTime / output.timescale, unit.arrivedAt);
  }

  #pushAudio(unit: AudioUnit): void {
    if (unit.config !== undefined) {
      this.#flush(this.#audio);
      this.#audio = audioOutput(unit, unit.config, this.#audio);
    }
    const output = this.#audio;
    if (output === undefined) return;
    if (!this.#silence.sound(unit.dts / unit.timescale + this.#shift!)) {
      // The next one that counts begins a group with the new configuration.
      if (unit.config !== undefined) output.groupId = undefined;
      return;
    }
    this.#sound(output, unit, this.#decodeTime(output, unit.dts, unit.timescale), unit.config !== undefined);
  }

  /** Sound that has stopped is replaced by silence, so that players of pictures and sound go on. */
  #fillSilence(at: number, arrivedAt: number): void {
    const until = this.#silence.picture(at);
    const output = this.#audio;
    if (until === undefined || output === undefined || output.sequence === 0) return;
    const { timescale } = output;
    const codec = output.description.codec === 'opus' ? 'opus' : 'aac';
    const frame = silentFrame(codec, output.description, output.frameLength);
    if (frame === undefined) return;
    const { data, samples: duration } = frame;
    for (let dts = output.last + output.step; dts + duration <= until * timescale; dts += duration) {
      const unit: AudioUnit = { kind: 'audio', codec, timescale, dts, pts: dts, duration, data, arrivedAt };
      this.#sound(output, unit, dts, false);
      this.#silence.filled((dts + duration) / timescale);
    }
  }

  #sound(output: Output, unit: AudioUnit, decodeTime: number, isNew: boolean): void {
    const seconds = decodeTime / output.timescale;
    let groupId: number | undefined;
    while (this.#cuts.length > 0 && this.#cuts[0]!.at <= seconds) groupId = this.#cuts.shift()!.groupId;
    if (groupId === undefined || (output.groupId !== undefined && groupId <= output.groupId)) {
      groupId = undefined;
      const alone = this.#video === undefined || seconds - this.#video.last / this.#video.timescale > videoGoneSeconds;
      const overlong = output.groupBytes + unit.data.length > maxGroupBytes;
      const due = overlong || (alone && decodeTime - output.groupStart >= audioGroupSeconds * output.timescale);
      if (output.groupId === undefined || isNew || due) groupId = ++this.#lastGroup;
    }
    if (groupId !== undefined) {
      this.#begin(output, groupId, decodeTime);
      this.#announce(output);
    }
    this.#write(output, unit, decodeTime, Math.round((unit.duration * output.timescale) / unit.timescale), 0, true);
  }

  /** On the output clock; never backwards. */
  #decodeTime(output: Output, dts: number, timescale: number): number {
    const time = Math.round((dts * output.timescale) / timescale + this.#shift! * output.timescale);
    return output.sequence === 0 ? Math.max(0, time) : Math.max(time, output.last);
  }

  #begin(output: Output, groupId: number, decodeTime: number): void {
    this.#flush(output);
    output.groupId = groupId;
    output.groupStart = decodeTime;
    output.groupBytes = 0;
    this.#sink.beginGroup(output.name, groupId);
    this.#sink.object(output.name, output.init);
  }

  #write(
    output: Output,
    unit: MediaUnit,
    decodeTime: number,
    duration: number,
    compositionOffset: number,
    keyframe: boolean,
  ): void {
    const step = decodeTime - output.last;
    // The next unit is not known: a sample lasts as long as the one before did. Pauses are not frames.
    if (output.sequence > 0 && step > 0 && step < output.timescale) output.step = step;
    output.last = decodeTime;
    output.sequence++;
    output.bits += unit.data.length * 8;
    output.groupBytes += unit.data.length + fragmentOverhead;
    const { trackId, sequence } = output;
    const wallClock = unit.arrivedAt;
    const lasts = unit.kind === 'video' ? output.step : duration;
    const { data } = unit;
    const before = output.held.at(-1);
    if (before !== undefined && decodeTime > before.decodeTime) before.duration = decodeTime - before.decodeTime;
    if (this.#isTooLong(output, decodeTime + lasts)) this.#flush(output);
    output.held.push({ trackId, sequence, decodeTime, duration: lasts, compositionOffset, keyframe, data, wallClock });
    // Another one would be too much: it need not be waited for.
    if (this.#isTooLong(output, decodeTime + 2 * lasts)) this.#flush(output);
    this.#announceFirst(output);
  }

  /** Whether a fragment that began with what is held would be too long if it went on until `end`. */
  #isTooLong({ held, timescale }: Output, end: number): boolean {
    return held.length > 0 && end - held[0]!.decodeTime > this.#fragmentSeconds * timescale;
  }

  #flush(output: Output | undefined): void {
    const [first, ...following] = output?.held.splice(0) ?? [];
    if (output !== undefined && first !== undefined) this.#sink.object(output.name, writeFragment(first, following));
  }

  #flushAll(): void {
    this.#flush(this.#video);
    this.#flush(this.#audio);
  }

  /** A catalog for a new configuration, or when the measured bitrate is news (first measure, or off by a quarter). */
  #announce(output: Output): void {
    const seconds = (output.groupStart - output.bitsSince) / output.timescale;
    let news = output.unannounced;
    output.unannounced = false;
    if (output.bits === 0) output.bitsSince = output.groupStart;
    else if (seconds >= 2) {
      const bitrate = Math.round(output.bits / seconds / 1000) * 1000;
      const said = output.description.bitrate;
      if (said === undefined || Math.abs(bitrate - said) > said / 4) {
        output.description = { ...output.description, bitrate };
        news = true;
      }
      output.bits = 0;
      output.bitsSince = output.groupStart;
    }
    if (!news) return;
    if (this.#announced) this.#sink.catalog(this.catalog);
    else this.#unannounced ??= output.groupStart / output.timescale;
  }

  /** The first catalog waits a moment for the other kind of track, so that nobody takes half of it for the whole. */
  #announceFirst(output: Output): void {
    if (this.#announced || this.#unannounced === undefined) return;
    const whole = this.#video?.groupId !== undefined && this.#audio?.groupId !== undefined;
    if (!whole && output.last / output.timescale - this.#unannounced < firstCatalogSeconds) return;
    this.#announced = true;
    this.#sink.catalog(this.catalog);
  }
}

function videoOutput(unit: VideoUnit, config: Uint8Array, before: Output | undefined): Output {
  const { codec, size = unit.size, framerate } = describeVideo(unit.codec, config);
  if (size === undefined) throw new StreamsError('MALFORMED', `${unit.codec} without a picture size`);
  const { width, height } = size;
  const timescale = 90_000;
  // The first name stays: to viewers a change of size is a new group, not a new track.
  const name = before?.name ?? `video/${height}p`;
  return {
    ...fresh(before),
    name,
    trackId: 1,
    timescale,
    init: writeInitSegment({ kind: 'video', codec: unit.codec, trackId: 1, timescale, width, height, config }),
    description: {
      name,
      kind: 'video',
      codec,
      width,
      height,
      ...(framerate === undefined ? {} : { framerate }),
    },
    step: Math.round(timescale / (framerate ?? 30)),
    frameLength: 0,
  };
}

function audioOutput(unit: AudioUnit, config: Uint8Array, before: Output | undefined): Output {
  const { codec, sampleRate, channels, frameLength } = describeAudio(unit.codec, config);
  // A changed sample rate changes the clock: the times already given out are taken along.
  const last = before === undefined ? 0 : Math.ceil((before.last * sampleRate) / before.timescale);
  return {
    ...fresh(before),
    last,
    name: 'audio',
    trackId: 2,
    timescale: sampleRate,
    init: writeInitSegment({
      kind: 'audio',
      codec: unit.codec,
      trackId: 2,
      timescale: sampleRate,
      sampleRate,
      channels,
      config,
    }),
    description: { name: 'audio', kind: 'audio', codec, sampleRate, channels },
    step: frameLength,
    frameLength,
  };
}

function fresh(before: Output | undefined) {
  const { sequence = 0, last = 0, groupId = undefined } = before ?? {};
  return { sequence, last, groupId, groupStart: 0, groupBytes: 0, unannounced: true, held: [], bits: 0, bitsSince: 0 };
}
