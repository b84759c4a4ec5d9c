import type { TrackStore } from '../../broadcast/track-store.ts';
import { type AudioSpecificConfig, parseAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import { writeInitSegment } from '../../codec/cmaf/init-segment.ts';
import { decodeAudioTag } from '../../codec/flv/audio-tag.ts';
import { SampleCounter } from '../ingest/sample-counter.ts';
import { type OnConfig, RenditionGroups } from './rendition-groups.ts';
import type { RenditionWriter, SourceFrame } from './source-frame.ts';

const trackId = 2;

/** The AAC of ffmpeg back to CMAF, cut into groups where the source's sound is. */
export class AudioRendition implements RenditionWriter {
  readonly #groups: RenditionGroups;
  #waiting: SourceFrame[] = [];
  #newest: SourceFrame | undefined;
  #sourceTimescale = 48_000;
  #sound: AudioSpecificConfig | undefined;
  #samples = new SampleCounter(48_000, 1024);
  writtenUntil: number | undefined;

  constructor(store: TrackStore, onConfig: OnConfig) {
    this.#groups = new RenditionGroups(trackId, store, onConfig);
  }

  get groupId(): number {
    return this.#groups.newest;
  }

  reset(timescale: number, afterGroup: number): void {
    this.#sourceTimescale = timescale;
    this.#groups.reset(afterGroup);
    this.#waiting = [];
    this.#newest = undefined;
    this.writtenUntil = undefined;
  }

  sent(frame: SourceFrame): void {
    this.#waiting.push(frame);
  }

  take(body: Uint8Array, timestamp: number): boolean {
    const tag = decodeAudioTag(body);
    if (tag.kind === 'config') this.#configure(tag.config);
    if (tag.kind !== 'frame' || !this.#groups.configured || this.#sound === undefined) return false;
    const over = this.#waiting.findIndex(({ time }) => time > timestamp + 1);
    const passed = this.#waiting.splice(0, over === -1 ? this.#waiting.length : over);
    this.#newest = passed.at(-1) ?? this.#newest;
    const source = this.#newest;
    // What an encoder puts before the first sample it was given.
    if (source === undefined) return false;
    this.writtenUntil = timestamp;
    const { sampleRate, frameLength } = this.#sound;
    const said = (source.pts / this.#sourceTimescale + (timestamp - source.time) / 1000) * sampleRate;
    const decodeTime = this.#samples.next(Math.round(said));
    if (decodeTime === undefined || !this.#groups.isNew(decodeTime)) return true;
    this.#groups.begin(source.groupId);
    const { wallClock } = source;
    this.#groups.push({ decodeTime, duration: frameLength, keyframe: true, data: tag.data, wallClock });
    return true;
  }

  #configure(config: Uint8Array): void {
    const sound = parseAudioSpecificConfig(config);
    const { codec, sampleRate, channels, frameLength } = sound;
    this.#sound = sound;
    this.#samples = new SampleCounter(sampleRate, frameLength);
    const init = { kind: 'audio', codec: 'aac', trackId, timescale: sampleRate, sampleRate, channels, config } as const;
    this.#groups.configure(codec, writeInitSegment(init));
  }
}
