import { splitAdts } from '../../../codec/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../../codec/aac/audio-specific-config.ts';
import { splitAnnexB, withLengths } from '../../../codec/h264/annex-b.ts';
import { ParameterSets } from '../../../codec/h264/parameter-sets.ts';
import { TsDemuxer, type TsPes } from '../../../codec/mpegts/demuxer.ts';
import { bytesEqual, concat, emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../../core/media-unit.ts';
import { SampleCounter } from '../sample-counter.ts';
import { SourceClock } from '../source-clock.ts';

/** After so many bytes without a packet it is something else. */
const maxStrayBytes = 64 * 1024;
/** A composition offset beyond it (90 kHz) is a damaged timestamp. */
const maxCompositionOffset = 10 * 90_000;
const timestampSpan = 2 ** 33;
/** NAL units that are about the byte stream: delimiter, end of sequence and stream, filler (H.264 table 7-1). */
const framingNals = new Set([9, 10, 11, 12]);

/** ISO 13818-1 table 2-34, for words a person can act on. */
const streamTypeNames: Readonly<Record<number, string>> = {
  1: 'MPEG-1 video',
  2: 'MPEG-2 video',
  3: 'MPEG-1 audio',
  4: 'MPEG-2 audio',
  6: 'private data',
  17: 'AAC in LATM',
  51: 'VVC',
  129: 'AC-3',
  134: 'SCTE-35',
};

/**
 * MPEG-TS bytes to access units: the first H.264 and the first AAC (ADTS) stream of the first program. Video runs at
 * 90 kHz, audio at its sample rate by the count of its samples. Throws MALFORMED, and UNSUPPORTED naming the codec.
 */
export class TsToUnits {
  readonly #demuxer = new TsDemuxer();
  readonly #clock = new SourceClock({ ticksPerMs: 90, bits: 33 });
  readonly #parameterSets = new ParameterSets();
  readonly #told = new Set<number>();
  #videoPid: number | undefined;
  #audioPid: number | undefined;
  #waitingForConfig = true;
  #audioConfig: Uint8Array | undefined;
  #audio = { sampleRate: 0, frameLength: 1024 };
  #samples = new SampleCounter(0, 1024);
  /** Begin of an AAC frame whose end is in the next PES packet. */
  #audioRest: Uint8Array = emptyBytes;

  /** `arrivedAt`: ms since the Unix epoch. */
  push(bytes: Uint8Array, arrivedAt: number): MediaUnit[] {
    const units = this.#units(this.#demuxer.push(bytes), arrivedAt);
    const { tracks, unsupported, skippedBytes } = this.#demuxer;
    if (tracks > 0) return units;
    if (unsupported.size > 0)
      throw new StreamsError('UNSUPPORTED', `MPEG-TS with nothing but ${[...unsupported].map(nameOf).join(', ')}`, {
        hint: 'set the encoder to H.264 and AAC',
      });
    if (skippedBytes > maxStrayBytes) throw new StreamsError('MALFORMED', 'not MPEG-TS');
    return units;
  }

  /** What only the end of the stream completes. */
  flush(arrivedAt: number): MediaUnit[] {
    return this.#units(this.#demuxer.flush(), arrivedAt);
  }

  /** Bytes are missing before the next push. */
  gap(): void {
    this.#demuxer.gap();
  }

  /** Streams that are left out, each named once. */
  newlyIgnored(): string[] {
    const fresh = [...this.#demuxer.unsupported].filter((type) => !this.#told.has(type));
    for (const type of fresh) this.#told.add(type);
    return fresh.map(nameOf);
  }

  /** TS packets missing by their continuity counters. */
  get lostPackets(): number {
    return this.#demuxer.lostPackets;
  }

  #units(found: readonly TsPes[], arrivedAt: number): MediaUnit[] {
    const units: MediaUnit[] = [];
    for (const pes of found) {
      if (pes.codec === 'hevc' || pes.codec === 'opus')
        throw new StreamsError('UNSUPPORTED', `${pes.codec} in MPEG-TS is not supported yet`, {
          hint: 'set the encoder to H.264 and AAC',
        });
      if (pes.codec === 'h264') {
        this.#videoPid ??= pes.pid;
        const unit = pes.pid === this.#videoPid ? this.#video(pes, arrivedAt) : undefined;
        if (unit !== undefined) units.push(unit);
      } else {
        this.#audioPid ??= pes.pid;
        if (pes.pid === this.#audioPid) units.push(...this.#audioUnits(pes, arrivedAt));
      }
    }
    return units;
  }

  #video(pes: TsPes, arrivedAt: number): VideoUnit | undefined {
    const nals: Uint8Array[] = [];
    let keyframe = false;
    for (const nal of splitAnnexB(pes.data)) {
      const type = nal[0]! & 0x1f;
      if (framingNals.has(type) || this.#parameterSets.take(nal)) continue;
      keyframe ||= type === 5;
      nals.push(nal);
    }
    const config = keyframe ? this.#parameterSets.changedConfig() : undefined;
    if (config !== undefined) this.#waitingForConfig = false;
    if (this.#waitingForConfig || !nals.some((nal) => (nal[0]! & 0x1f) <= 5)) return undefined;
    const dts = this.#clock.map('video', pes.dts);
    const offset = (pes.pts - pes.dts + timestampSpan) % timestampSpan;
    return {
      kind: 'video',
      codec: 'h264',
      timescale: 90_000,
      dts,
      pts: dts + (offset > maxCompositionOffset ? 0 : offset),
      keyframe,
      data: withLengths(nals),
      arrivedAt,
      ...(config === undefined ? {} : { config }),
    };
  }

  #audioUnits(pes: TsPes, arrivedAt: number): AudioUnit[] {
    if (pes.afterLoss) this.#audioRest = emptyBytes;
    const carried = this.#audioRest.length > 0;
    const { frames, rest } = splitAdts(carried ? concat([this.#audioRest, pes.data]) : pes.data);
    this.#audioRest = rest.slice();
    const ticks = this.#clock.map('audio', pes.pts);
    const units: AudioUnit[] = [];
    for (const [index, frame] of frames.entries()) {
      const isNew = this.#audioConfig === undefined || !bytesEqual(this.#audioConfig, frame.config);
      if (isNew) {
        this.#audio = parseAudioSpecificConfig(frame.config);
        this.#audioConfig = frame.config;
        this.#samples = new SampleCounter(this.#audio.sampleRate, this.#audio.frameLength);
      }
      const { sampleRate, frameLength } = this.#audio;
      // The time is that of the first frame that begins in this packet (ISO 13818-1 2.4.3.7).
      const place = index - (carried ? 1 : 0);
      const said = place < 0 ? undefined : Math.round((ticks * sampleRate) / 90_000) + place * frameLength;
      const dts = this.#samples.next(said);
      if (dts === undefined) {
        if (isNew) this.#audioConfig = undefined;
        continue;
      }
      units.push({
        kind: 'audio',
        codec: 'aac',
        timescale: sampleRate,
        dts,
        pts: dts,
        duration: frameLength,
        data: frame.data,
        arrivedAt,
        ...(isNew ? { config: frame.config } : {}),
      });
    }
    return units;
  }
}

function nameOf(streamType: number): string {
  return streamTypeNames[streamType] ?? `stream type 0x${streamType.toString(16).padStart(2, '0')}`;
}
