import { parseFragment, type Sample, type TrackDefaults } from '../../../codec/cmaf/fragment.ts';
import { type ParsedTrack, parseInitSegment } from '../../../codec/cmaf/init-segment.ts';
import type { AudioDescription, VideoDescription } from '../../../codec/cmaf/sample-entry.ts';
import { type CmafPiece, CmafSplitter } from '../../../codec/cmaf/splitter.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { MediaUnit } from '../../../core/media-unit.ts';
import { AudioFrames } from '../audio-frames.ts';
import { isoVideo } from '../iso-video.ts';
import type { FrameSource } from '../sample-counter.ts';

/** A step back further than this is no rounding of the sender's, but another clock. */
const maxBackwardSeconds = 1;

/** One sample to one unit; `time` is its decode time in the track's ticks, as its edit list has it. undefined: left out. */
type Reader = (sample: Sample, time: number, arrivedAt: number) => MediaUnit | undefined;

/**
 * A fragmented MP4 as it arrives (ftyp+moov, then moof+mdat …) to access units: one a sample, with the times of its track
 * moved as its edit list says, but with all samples: decoders need those before the first that is shown.
 * A new init segment starts its tracks anew. Takes the first video and the first audio track. Throws MALFORMED,
 * LIMIT_EXCEEDED, and UNSUPPORTED naming the codec.
 */
export class Fmp4ToUnits {
  readonly #splitter = new CmafSplitter();
  readonly #source: FrameSource;
  #tracks: ReadonlyMap<number, Reader> | undefined;
  #defaults: TrackDefaults = new Map();

  constructor(source: FrameSource = 'live') {
    this.#source = source;
  }

  /** Everything pushed so far was whole. */
  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  /** `arrivedAt`: ms since the Unix epoch. */
  push(bytes: Uint8Array, arrivedAt: number): MediaUnit[] {
    const units: MediaUnit[] = [];
    for (const piece of this.#splitter.push(bytes)) {
      if (piece.kind === 'init') this.#init(piece.bytes);
      else this.#fragment(piece, arrivedAt, units);
    }
    return units;
  }

  #init(bytes: Uint8Array): void {
    const parsed = parseInitSegment(bytes);
    const tracks = (['video', 'audio'] as const).flatMap((kind) => parsed.find((track) => track.kind === kind) ?? []);
    if (tracks.length === 0) throw unsupported(parsed.map((track) => track.codecString).join(', '));
    this.#tracks = new Map(tracks.map((track) => [track.trackId, readerOf(track, this.#source)]));
    this.#defaults = new Map(parsed.map((track) => [track.trackId, track.defaults]));
  }

  #fragment({ bytes, origin }: CmafPiece, arrivedAt: number, units: MediaUnit[]): void {
    if (this.#tracks === undefined) throw new StreamsError('MALFORMED', 'a fragment before the first init segment');
    for (const { trackId, baseMediaDecodeTime, samples } of parseFragment(bytes, this.#defaults, origin).tracks) {
      const read = this.#tracks.get(trackId);
      let time = baseMediaDecodeTime;
      for (const sample of samples) {
        const unit = sample.data.length === 0 ? undefined : read?.(sample, time, arrivedAt);
        if (unit !== undefined) units.push(unit);
        time += sample.duration;
      }
    }
  }
}

function readerOf({ description, codecString, timescale, edit }: ParsedTrack, source: FrameSource): Reader {
  if (description === undefined) throw unsupported(codecString);
  const read =
    description.kind === 'video' ? videoReader(description, timescale) : audioReader(description, timescale, source);
  return (sample, time, arrivedAt) => read(sample, time + edit.shift, arrivedAt);
}

function unsupported(codecs: string): StreamsError {
  return new StreamsError('UNSUPPORTED', `codec ${codecs || 'none'} over fMP4 is not supported`, {
    hint: 'send H.264, HEVC, AV1 or VP9, and AAC or Opus',
  });
}

function videoReader({ codec, config, width, height }: VideoDescription, timescale: number): Reader {
  const read = isoVideo(codec, config, { width, height });
  const forward = forwardOnly(timescale);
  return (sample, time, arrivedAt) => {
    const dts = forward(time);
    const picture = read(sample.data, sample.keyframe);
    if (picture === undefined) return undefined;
    return { kind: 'video', timescale, dts, pts: dts + sample.compositionOffset, ...picture, arrivedAt };
  };
}

function audioReader({ codec, config }: AudioDescription, timescale: number, source: FrameSource): Reader {
  const frames = new AudioFrames(codec, config, source);
  const forward = forwardOnly(timescale);
  return ({ data }, time, arrivedAt) =>
    frames.unit(data, Math.round((forward(time) * frames.sampleRate) / timescale), arrivedAt);
}

function forwardOnly(timescale: number): (time: number) => number {
  let last = Number.NEGATIVE_INFINITY;
  return (time) => {
    if (time < last - maxBackwardSeconds * timescale)
      throw new StreamsError('MALFORMED', 'the decode time of a track runs backwards');
    last = Math.max(last, time);
    return last;
  };
}
