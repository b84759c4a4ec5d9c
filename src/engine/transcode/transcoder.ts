import type { StoredGroup, TrackStore } from '../../broadcast/track-store.ts';
import { parseFragment, type TrackDefaults } from '../../codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../codec/cmaf/init-segment.ts';
import type { TrackDescription } from '../../codec/cmaf/sample-entry.ts';
import { writeMatroskaFrame, writeMatroskaHead } from '../../codec/matroska/live-writer.ts';
import { bytesEqual } from '../../core/bytes.ts';
import { toStreamsError } from '../../core/errors.ts';
import type { LogFields, Logger } from '../../core/log.ts';
import { ffmpegArguments, type TranscodeJob } from './ffmpeg-arguments.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import type { RenditionWriter } from './source-frame.ts';

export type TranscoderOptions = {
  ffmpeg: string;
  /** Its objects are what ffmpeg is fed. */
  source: TrackStore;
  /** What to make of a source like this, and where it goes, output by output. */
  plan(source: TrackDescription): { job: TranscodeJob; renditions: readonly RenditionWriter[] };
  logger: Logger;
  fields: LogFields;
  /** Nothing out for so long while something is in: ffmpeg is killed. Default 5000. */
  stuckMs?: number;
  /** First and longest wait before ffmpeg is started again; default 250 and 10 000. */
  retryMs?: { first: number; longest: number };
};

/** What the work has cost so far. */
export type TranscodeCost = { cpuSeconds: number; mediaSeconds: number; restarts: number };

type Run = {
  process: FfmpegProcess;
  renditions: readonly RenditionWriter[];
  init: Uint8Array;
  timescale: number;
  defaults: TrackDefaults;
  /** Source milliseconds that are second 1 of ffmpeg's clock. */
  base: number | undefined;
  /** ms on ffmpeg's clock. */
  fed: number;
  /** Of the last input, and of the last output or the first input after a pause (performance.now). */
  fedAt: number;
  heardAt: number;
  startedAt: number;
};

const lookMs = 500;
/** Between two lines that say the same. */
const tellMs = 10_000;
/** Where the clock given to ffmpeg begins: what encoders put before the first sample stays above 0. */
const firstTime = 1000;
/** FLV's timestamps have 31 bits; a new ffmpeg begins a new clock long before. */
const longestClock = 2 ** 30;
/** Behind by so much at the beginning of a group, ffmpeg is not given that group. */
const maxBehindMs = 4000;
const maxQueuedBytes = 32 << 20;
/** Until then it may still be at the part of the group that was there before it. */
const catchUpMs = 10_000;
const goodRunMs = 30_000;
/** Nothing in for so long is a pause of the source. */
const pauseMs = 1000;

/**
 * Keeps one ffmpeg on a source track between `start` and `stop`: begins with the newest group from its keyframe, begins
 * anew with the next group when ffmpeg dies or hangs or the source changes, and leaves groups out when ffmpeg cannot keep up.
 * The source is never held back.
 */
export class Transcoder {
  readonly #options: TranscoderOptions;
  #leave: (() => void) | undefined;
  #run: Run | undefined;
  #group: StoredGroup | undefined;
  #next = 0;
  #afterGroup = -1;
  #running = false;
  #again: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #waitMs: number;
  #cost = { cpuSeconds: 0, mediaSeconds: 0, restarts: 0 };
  #skipped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: TranscoderOptions) {
    this.#options = options;
    this.#waitMs = this.#retry.first;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Of the ffmpeg that runs now. */
  get pid(): number | undefined {
    return this.#run?.process.pid;
  }

  get cost(): TranscodeCost {
    const { cpuSeconds, mediaSeconds, restarts } = this.#cost;
    const run = this.#run;
    if (run === undefined) return { cpuSeconds, mediaSeconds, restarts };
    return { cpuSeconds: cpuSeconds + run.process.cpuSeconds, mediaSeconds: mediaSeconds + mediaOf(run), restarts };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#waitMs = this.#retry.first;
    this.#look = setInterval(() => this.#check(), lookMs);
    this.#begin();
  }

  /** ffmpeg is gone when it returns. Groups that were begun are not touched again. */
  stop(): void {
    this.#running = false;
    clearInterval(this.#look);
    clearTimeout(this.#again);
    this.#let();
  }

  /** The plan for the source may have changed. */
  replan(): void {
    if (!this.#running || this.#again !== undefined) return;
    this.#let();
    this.#begin();
  }

  get #retry(): { first: number; longest: number } {
    return this.#options.retryMs ?? { first: 250, longest: 10_000 };
  }

  #begin(): void {
    this.#again = undefined;
    let left = false;
    let unfollow: (() => void) | undefined;
    this.#leave = () => {
      left = true;
      unfollow?.();
    };
    unfollow = this.#options.source.follow({
      group: (group) => !left && this.#enter(group),
      object: (group) => !left && group === this.#group && this.#pump(group),
      end: () => {},
    });
    if (left) unfollow();
  }

  /** Ends the run, if there is one. */
  #let(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#group = undefined;
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    const { process, renditions } = run;
    this.#cost.cpuSeconds += process.cpuSeconds;
    this.#cost.mediaSeconds += mediaOf(run);
    process.kill();
    for (const { groupId } of renditions) this.#afterGroup = Math.max(this.#afterGroup, groupId);
  }

  #enter(group: StoredGroup): void {
    this.#group = undefined;
    if (group.groupId <= this.#afterGroup) return;
    const run = this.#run;
    if (run !== undefined && cannotKeepUp(run)) {
      this.#skipped++;
      return;
    }
    if (run !== undefined && run.fed > longestClock) {
      this.#change();
      return;
    }
    this.#group = group;
    this.#next = 0;
    this.#pump(group);
  }

  #pump(group: StoredGroup): void {
    try {
      for (; this.#group === group && this.#next < group.objects.length; this.#next++) {
        const object = group.objects[this.#next]!;
        if (this.#next === 0) this.#init(object);
        else if (this.#run !== undefined) this.#feed(this.#run, group.groupId, object);
      }
    } catch (error) {
      this.#fail(toStreamsError(error).message);
    }
  }

  #init(init: Uint8Array): void {
    const known = this.#run;
    if (known !== undefined && bytesEqual(known.init, init)) return;
    if (known === undefined) this.#run = this.#spawn(init);
    else this.#change();
  }

  /** Another source, or another clock: another ffmpeg, once whoever is in the midst of changing it is through. */
  #change(): void {
    this.#let();
    this.#again = setTimeout(() => this.#begin(), 0);
  }

  #spawn(init: Uint8Array): Run | undefined {
    const { ffmpeg, plan, fields, logger } = this.#options;
    const track = parseInitSegment(init)[0];
    if (track?.description === undefined) return undefined;
    const { job, renditions } = plan(track.description);
    const framerate = job.kind === 'video' ? job.rungs[0]?.framerate : undefined;
    const head = writeMatroskaHead(track.description, framerate);
    if (head === undefined || renditions.length === 0) return undefined;
    const now = performance.now();
    for (const rendition of renditions) rendition.reset(track.timescale, this.#afterGroup);
    const process = new FfmpegProcess({
      ffmpeg,
      args: ffmpegArguments(job),
      outputs: renditions.length,
      onTag: (output, tag) => {
        if (tag.type === 'data' || this.#run !== run) return;
        try {
          if (renditions[output]!.take(tag.body, tag.timestamp)) run.heardAt = performance.now();
        } catch (error) {
          this.#fail(toStreamsError(error).message);
        }
      },
      onEnd: (lastWords) => {
        if (this.#run === run) this.#fail(lastWords);
      },
    });
    const defaults: TrackDefaults = new Map([[track.trackId, track.defaults]]);
    const run: Run = {
      process,
      renditions,
      init,
      timescale: track.timescale,
      defaults,
      base: undefined,
      fed: 0,
      fedAt: now,
      heardAt: now,
      startedAt: now,
    };
    process.write(head);
    logger.info('ffmpeg is started', { ...fields, pid: process.pid, outputs: renditions.length });
    return run;
  }

  #feed(run: Run, groupId: number, object: Uint8Array): void {
    const { producer, tracks } = parseFragment(object, run.defaults);
    const track = tracks[0];
    if (track === undefined) return;
    const now = performance.now();
    if (now - run.fedAt > pauseMs) run.heardAt = now;
    run.fedAt = now;
    let dts = track.baseMediaDecodeTime;
    for (const { duration, compositionOffset, keyframe, data } of track.samples) {
      const pts = dts + compositionOffset;
      dts += duration;
      const ms = Math.round((pts * 1000) / run.timescale);
      run.base ??= ms;
      const time = ms - run.base + firstTime;
      if (time < 0) continue;
      run.fed = Math.max(run.fed, time);
      const frame = { time, pts, duration, keyframe, groupId, wallClock: producer?.wallClock ?? Date.now() };
      for (const rendition of run.renditions) rendition.sent(frame);
      run.process.write(writeMatroskaFrame({ time, keyframe, data }));
    }
  }

  #check(): void {
    const { stuckMs = 5000, logger, fields } = this.#options;
    const now = performance.now();
    if (this.#skipped > 0 && now - this.#toldAt > tellMs) {
      logger.warn('ffmpeg cannot keep up: groups of the renditions are left out', { ...fields, groups: this.#skipped });
      this.#skipped = 0;
      this.#toldAt = now;
    }
    const run = this.#run;
    if (run === undefined) return;
    if (now - run.startedAt > goodRunMs) this.#waitMs = this.#retry.first;
    // A frame or two are always on the way.
    if (behind(run) > 500 && now - run.heardAt > stuckMs) this.#fail(`nothing came out of it for ${stuckMs} ms`);
  }

  #fail(lastWords: string): void {
    const { logger, fields } = this.#options;
    this.#let();
    if (!this.#running || this.#again !== undefined) return;
    this.#cost.restarts++;
    logger.warn('ffmpeg ended; the source goes on without it', { ...fields, lastWords, retryMs: this.#waitMs });
    this.#again = setTimeout(() => this.#begin(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, this.#retry.longest);
  }
}

function cannotKeepUp(run: Run): boolean {
  if (run.process.queuedBytes > maxQueuedBytes) return true;
  return behind(run) > maxBehindMs && performance.now() - run.startedAt > catchUpMs;
}

/** Media that ffmpeg was given and has not given back, ms. */
function behind({ fed, renditions, base }: Run): number {
  if (base === undefined) return 0;
  const slowest = Math.min(...renditions.map(({ writtenUntil }) => writtenUntil ?? firstTime));
  return fed - slowest;
}

function mediaOf({ fed, base }: Run): number {
  return base === undefined ? 0 : Math.max(0, fed - firstTime) / 1000;
}
