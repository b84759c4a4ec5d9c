import { TrackStore } from '../../broadcast/track-store.ts';
import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import type { Ladder, LadderRung } from '../../core/ladder.ts';
import type { Logger } from '../../core/log.ts';
import { AudioRendition } from './audio-rendition.ts';
import { chooseRungs, describeRung, type Rung } from './choose-rungs.ts';
import { OnDemand } from './on-demand.ts';
import type { RenditionWriter } from './source-frame.ts';
import { type TranscodeCost, Transcoder, type TranscoderOptions } from './transcoder.ts';
import { VideoRendition } from './video-rendition.ts';

export type ChannelLadderOptions = {
  ladder: Ladder;
  ffmpeg: string;
  inputId: string;
  logger: Logger;
  /** How long ffmpeg runs on after the last follower left, ms. Default 10 000. */
  lingerMs?: number;
} & Pick<TranscoderOptions, 'stuckMs' | 'retryMs'>;

/** A rendition on the air: what the catalog says of it, and its media. */
type Made = { description: CatalogTrack; from: TrackStore; store: TrackStore; rendition: RenditionWriter };
type Work = { source: TrackStore; transcoder: Transcoder; demand: OnDemand };

/** AAC of a stereo source; mono takes half. */
const audioBitrate = 128_000;
export const aacTrackName = 'audio/aac';

/**
 * The renditions of one broadcast beside its source: of the picture by the ladder, of the sound an AAC one where the source has
 * another codec. They are in the catalog from the beginning and made while somebody follows one of them.
 */
export class ChannelLadder {
  readonly #options: ChannelLadderOptions;
  readonly #changed: () => void;
  readonly #made = new Map<string, Made>();
  #rungs: Rung[] = [];
  #video: Work | undefined;
  #audio: Work | undefined;

  /** `changed`: what it said of a rendition is different now. */
  constructor(options: ChannelLadderOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  /** The tracks to add to a catalog of the source: pictures, tallest first, then sound. */
  update(catalog: Catalog, source: (name: string) => TrackStore): CatalogTrack[] {
    const video = catalog.tracks.find(({ kind }) => kind === 'video');
    const audio = catalog.tracks.find(({ kind }) => kind === 'audio');
    if (video !== undefined) this.#updateVideo(video, source);
    if (audio !== undefined && !audio.codec.startsWith('mp4a')) this.#updateAudio(audio, source);
    return [...this.#rungs.map(({ name }) => name), aacTrackName].flatMap((name) => {
      const made = this.#made.get(name);
      return made === undefined ? [] : [made.description];
    });
  }

  track(name: string): TrackStore | undefined {
    return this.#made.get(name)?.store;
  }

  /** What it offers now. */
  get names(): string[] {
    return [...this.#made.keys()];
  }

  /** undefined: it offers nothing. */
  get cost(): (TranscodeCost & { running: boolean }) | undefined {
    const all = [this.#video, this.#audio].filter((work) => work !== undefined);
    if (all.length === 0) return undefined;
    const sum = { cpuSeconds: 0, mediaSeconds: 0, restarts: 0, running: false };
    for (const { transcoder } of all) {
      const { cpuSeconds, mediaSeconds, restarts } = transcoder.cost;
      sum.cpuSeconds += cpuSeconds;
      sum.mediaSeconds = Math.max(sum.mediaSeconds, mediaSeconds);
      sum.restarts += restarts;
      sum.running ||= transcoder.running;
    }
    return sum;
  }

  /** Of the ffmpegs that run now. */
  get pids(): number[] {
    return [this.#video?.transcoder.pid, this.#audio?.transcoder.pid].filter((pid) => pid !== undefined);
  }

  end(): void {
    for (const work of [this.#video, this.#audio]) {
      work?.demand.close();
      work?.transcoder.stop();
    }
    for (const { store } of this.#made.values()) store.end();
  }

  #updateVideo(source: CatalogTrack, tracks: (name: string) => TrackStore): void {
    const kept = this.#rungs.map(
      ({ name, bitrate }): LadderRung => ({ height: Number.parseInt(name.slice(6), 10), bitrate }),
    );
    const rungs = chooseRungs(this.#options.ladder, source, kept).filter(({ name }) => name !== source.name);
    if (JSON.stringify(rungs) === JSON.stringify(this.#rungs)) return;
    this.#rungs = rungs;
    this.#video ??= this.#work(tracks(source.name), () => ({
      job: { kind: 'video', rungs: this.#rungs },
      renditions: this.#rungs.map(({ name }) => this.#made.get(name)!.rendition),
    }));
    const work = this.#video;
    for (const rung of rungs) {
      const known = this.#made.get(rung.name);
      if (known === undefined)
        this.#add(describeRung(rung), work, (store, onConfig) => new VideoRendition(store, onConfig));
      else known.description = describeRung(rung);
    }
    work.transcoder.replan();
  }

  #updateAudio({ sampleRate = 48_000, channels = 2 }: CatalogTrack, tracks: (name: string) => TrackStore): void {
    if (this.#options.ladder.kind === 'none' || this.#audio !== undefined) return;
    const out = { sampleRate, channels: Math.min(2, channels) };
    const bitrate = out.channels === 1 ? audioBitrate / 2 : audioBitrate;
    this.#audio = this.#work(tracks('audio'), () => ({
      job: { kind: 'audio', bitrate, ...out },
      renditions: [this.#made.get(aacTrackName)!.rendition],
    }));
    const description: CatalogTrack = { name: aacTrackName, kind: 'audio', codec: 'mp4a.40.2', bitrate, ...out };
    this.#add(description, this.#audio, (store, onConfig) => new AudioRendition(store, onConfig));
  }

  #work(source: TrackStore, plan: TranscoderOptions['plan']): Work {
    const { ffmpeg, inputId, logger, stuckMs, retryMs, lingerMs = 10_000, ladder } = this.#options;
    const transcoder = new Transcoder({
      ffmpeg,
      source,
      plan,
      logger,
      fields: { inputId, of: source.name },
      ...(stuckMs === undefined ? {} : { stuckMs }),
      ...(retryMs === undefined ? {} : { retryMs }),
    });
    const demand = new OnDemand({
      always: ladder.kind !== 'none' && ladder.always,
      lingerMs,
      start: () => transcoder.start(),
      stop: () => {
        transcoder.stop();
        for (const { store, from } of this.#made.values()) if (from === source) store.forget();
        logger.info('ffmpeg is stopped: nobody watches a rendition', { inputId, of: source.name });
      },
    });
    return { source, transcoder, demand };
  }

  #add(
    description: CatalogTrack,
    { source, demand }: Work,
    make: (store: TrackStore, onConfig: (codec: string, init: Uint8Array) => void) => RenditionWriter,
  ): void {
    const { name } = description;
    const store = new TrackStore(name, (followers) => demand.set(name, followers));
    const made: Made = {
      description,
      from: source,
      store,
      rendition: make(store, (codec, init) => {
        const known = Buffer.from(init).toString('base64');
        const { description: said } = made;
        if (said.codec === codec && said.init === known) return;
        made.description = { ...said, codec, init: known };
        this.#changed();
      }),
    };
    this.#made.set(name, made);
  }
}
