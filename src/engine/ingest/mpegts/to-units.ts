import { splitAdts } from '../../../codec/aac/adts.ts';
import { splitAnnexB, withLengths } from '../../../codec/h264/annex-b.ts';
import { ParameterSets } from '../../../codec/h264/parameter-sets.ts';
import { HevcParameterSets } from '../../../codec/hevc/parameter-sets.ts';
import { TsDemuxer, type TsPes } from '../../../codec/mpegts/demuxer.ts';
import { writeOpusHead } from '../../../codec/opus/opus-head.ts';
import { splitOpusAccessUnits } from '../../../codec/opus/ts-access-units.ts';
import { bytesEqual, concat, emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../../core/media-unit.ts';
import { AudioFrames } from '../audio-frames.ts';
import { type NalCodec, nalForms } from '../nal-forms.ts';
import { SourceClock } from '../source-clock.ts';

/** After so many bytes without a packet it is something else. */
const maxStrayBytes = 64 * 1024;
/** A composition offset beyond it (90 kHz) is a damaged timestamp. */
const maxCompositionOffset = 10 * 90_000;
const timestampSpan = 2 ** 33;
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
 * MPEG-TS bytes to access units: the first H.264 or HEVC and the first AAC (ADTS) or Opus stream of the first program. Video runs at
 * 90 kHz, audio at its sample rate by the count of its samples. Throws MALFORMED, and UNSUPPORTED naming the codec.
 */
export class TsToUnits {
  readonly #demuxer = new TsDemuxer();
  readonly #clock = new SourceClock({ ticksPerMs: 90, bits: 33 });
  readonly #parameterSets = { h264: new ParameterSets(), hevc: new HevcParameterSets() };
  readonly #told = new Set<number>();
  #videoPid: number | undefined;
  #audioPid: number | undefined;
  #waitingForConfig = true;
  #audio: AudioFrames | undefined;
  /** Begin of an AAC frame whose end is in the next PES packet. */
  #audioRest: Uint8Array = emptyBytes;

  /** `arrivedAt`: ms since the Unix epoch. */
  push(bytes: Uint8Array, arrivedAt: number): MediaUnit[] {
    const units = this.#units(this.#demuxer.push(bytes), arrivedAt);
    const { tracks, unsupported, skippedBytes } = this.#demuxer;
    if (tracks > 0) return units;
    if (unsupported.size > 0)
      throw new StreamsError('UNSUPPORTED', `MPEG-TS with nothing but ${[...unsupported].map(nameOf).join(', ')}`, {
        hint: 'set the encoder to H.264 or HEVC, and AAC or Opus',
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
      const { codec, pid } = pes;
      if (codec === 'h264' || codec === 'hevc') {
        this.#videoPid ??= pid;
        const unit = pid === this.#videoPid ? this.#video(pes, codec, arrivedAt) : undefined;
        if (unit !== undefined) units.push(unit);
      } else {
        this.#audioPid ??= pid;
        if (pid === this.#audioPid)
          units.push(...(codec === 'opus' ? this.#opus : this.#aac).call(this, pes, arrivedAt));
      }
    }
    return units;
  }

  #video(pes: TsPes, codec: NalCodec, arrivedAt: number): VideoUnit | undefined {
    const { typeOf, isFraming, isSlice, entryPoint } = nalForms[codec];
    const sets = this.#parameterSets[codec];
    const nals: Uint8Array[] = [];
    const all = splitAnnexB(pes.data);
    let hasSlice = false;
    for (const nal of all) {
      const type = typeOf(nal);
      if (isFraming(type) || sets.take(nal)) continue;
      hasSlice ||= isSlice(type);
      nals.push(nal);
    }
    const keyframe = hasSlice && entryPoint(all, false) !== undefined;
    const config = keyframe ? sets.changedConfig() : undefined;
    if (config !== undefined) this.#waitingForConfig = false;
    if (this.#waitingForConfig || !hasSlice) return undefined;
    const dts = this.#clock.map('video', pes.dts);
    const offset = (pes.pts - pes.dts + timestampSpan) % timestampSpan;
    return {
      kind: 'video',
      codec,
      timescale: 90_000,
      dts,
      pts: dts + (offset > maxCompositionOffset ? 0 : offset),
      keyframe,
      data: withLengths(nals),
      arrivedAt,
      ...(config === undefined ? {} : { config }),
    };
  }

  #aac(pes: TsPes, arrivedAt: number): AudioUnit[] {
    if (pes.afterLoss) this.#audioRest = emptyBytes;
    const carried = this.#audioRest.length > 0;
    const { frames, rest } = splitAdts(carried ? concat([this.#audioRest, pes.data]) : pes.data);
    this.#audioRest = rest.slice();
    const ticks = this.#clock.map('audio', pes.pts);
    return frames.flatMap((frame, index) => {
      if (this.#audio === undefined || !bytesEqual(this.#audio.config, frame.config))
        this.#audio = new AudioFrames('aac', frame.config);
      const { sampleRate, frameLength } = this.#audio;
      // The time is that of the first frame that begins in this packet (ISO 13818-1 2.4.3.7).
      const place = index - (carried ? 1 : 0);
      const said = place < 0 ? undefined : Math.round((ticks * sampleRate) / 90_000) + place * frameLength;
      return this.#audio.unit(frame.data, said, arrivedAt) ?? [];
    });
  }

  #opus(pes: TsPes, arrivedAt: number): AudioUnit[] {
    const ticks = this.#clock.map('audio', pes.pts);
    const head = writeOpusHead(pes.channels === 0 ? 2 : pes.channels);
    if (this.#audio === undefined || !bytesEqual(this.#audio.config, head)) this.#audio = new AudioFrames('opus', head);
    const audio = this.#audio;
    let said: number | undefined = Math.round((ticks * audio.sampleRate) / 90_000);
    return splitOpusAccessUnits(pes.data).flatMap((packet) => {
      const unit = audio.unit(packet, said, arrivedAt);
      said = undefined;
      return unit ?? [];
    });
  }
}

function nameOf(streamType: number): string {
  return streamTypeNames[streamType] ?? `stream type 0x${streamType.toString(16).padStart(2, '0')}`;
}
