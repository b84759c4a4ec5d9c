import { describeAudio } from '../../codec/cmaf/describe.ts';
import { opusSamples } from '../../codec/opus/packet.ts';
import type { AudioUnit } from '../../core/media-unit.ts';
import { type FrameSource, SampleCounter } from './sample-counter.ts';

/** Frames of one audio configuration to units at its sample rate, which follow each other by the count of their samples. */
export class AudioFrames {
  readonly codec: AudioUnit['codec'];
  readonly config: Uint8Array;
  readonly sampleRate: number;
  /** Samples of a usual frame. */
  readonly frameLength: number;
  readonly #samples: SampleCounter;
  #said = false;

  /** `config` as in an AudioUnit. Throws MALFORMED. */
  constructor(codec: AudioUnit['codec'], config: Uint8Array, source: FrameSource = 'live') {
    const { sampleRate, frameLength } = describeAudio(codec, config);
    this.codec = codec;
    this.config = config;
    this.sampleRate = sampleRate;
    this.frameLength = frameLength;
    this.#samples = new SampleCounter(sampleRate, frameLength, source);
  }

  /** `said`: sample at which the sender has it begin. undefined: there are more frames than time, or it is none. */
  unit(data: Uint8Array, said: number | undefined, arrivedAt: number): AudioUnit | undefined {
    const duration = this.codec === 'opus' ? opusSamples(data) : this.frameLength;
    const dts = data.length === 0 || duration === 0 ? undefined : this.#samples.next(said, duration);
    if (dts === undefined) return undefined;
    const times = { timescale: this.sampleRate, dts, pts: dts, duration };
    const unit: AudioUnit = { kind: 'audio', codec: this.codec, ...times, data, arrivedAt };
    if (this.#said) return unit;
    this.#said = true;
    return { ...unit, config: this.config };
  }
}
