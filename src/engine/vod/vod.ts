import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ControlClient } from '../../contract/client.ts';
import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { AssetControl } from './asset-control.ts';
import { type AssetRecord, advance, endRecording, readRecord, readTold, sourceFile } from './asset-record.ts';
import { type MediaStore, openLocalStore } from './media-store.ts';
import { VodPlayback } from './playback.ts';
import { type FfmpegPrograms, findFfmpegPrograms } from './process/find-ffmpeg.ts';
import { Jobs } from './process/jobs.ts';
import { type Recording, Recordings } from './recordings.ts';
import { recoverIndex } from './recover-index.ts';
import { reportAsset } from './report-asset.ts';
import { Uploads } from './uploads/uploads.ts';

export type VodOptions = {
  /** Where media are kept. */
  readonly dir: string;
  readonly control: ControlClient;
  readonly logger: Logger;
  /** Largest upload; default 64 GB. */
  readonly maxUploadBytes?: number;
  /** Unfinished uploads are thrown away when nothing came for so long; default 24 hours. */
  readonly uploadAgeSeconds?: number;
  /** How often expired uploads and deleted assets are looked for; default 30 000. */
  readonly assetSweepMs?: number;
  readonly findFfmpeg?: () => FfmpegPrograms | undefined;
};

const defaultMaxBytes = 64e9;
const defaultAgeSeconds = 24 * 3600;
const sweepMs = 30_000;
const retellMs = 2000;

/** On-demand media: uploads, what becomes of them, recordings, and their playback over HTTP. */
export class Vod {
  readonly playback: VodPlayback;
  readonly #store: MediaStore;
  readonly #control: AssetControl;
  readonly #logger: Logger;
  readonly #ageSeconds: number;
  readonly #uploads: Uploads;
  readonly #jobs: Jobs;
  readonly #recordings: Recordings;
  readonly #untold = new Set<string>();
  readonly #percent = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** One after the other, so that what is told is told in order. */
  #telling: Promise<void> = Promise.resolve();
  /** What the last process left is looked through beside everything else: recordings may be large. */
  #resuming: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(store: MediaStore, options: VodOptions) {
    const { logger, maxUploadBytes = defaultMaxBytes, uploadAgeSeconds = defaultAgeSeconds } = options;
    this.#store = store;
    this.#logger = logger;
    this.#control = new AssetControl(options.control);
    this.#ageSeconds = uploadAgeSeconds;
    this.playback = new VodPlayback(store, logger);
    this.#jobs = new Jobs({
      store,
      logger,
      ffmpeg: options.findFfmpeg ?? findFfmpegPrograms,
      changed: (record) => this.#changed(record),
      progress: (assetId, percent) => this.#progress(assetId, percent),
    });
    this.#uploads = new Uploads({
      store,
      control: this.#control,
      logger,
      limits: { maxBytes: maxUploadBytes, maxAgeSeconds: uploadAgeSeconds },
      uploaded: async (record) => {
        void this.#changed(record);
        this.#jobs.add(record.assetId);
      },
      cancelled: async (record) => {
        const { assetId } = record;
        await this.#control.report(assetId, { status: 'errored', reason: 'the upload was cancelled' }).catch(() => {});
        await this.#remove(assetId);
      },
    });
    this.#recordings = new Recordings({ store, control: this.#control, logger, changed: (r) => this.#changed(r) });
  }

  /** Opens the store and goes on with what the last process left. Throws CONFIG_INVALID. */
  static async open(options: VodOptions): Promise<Vod> {
    const vod = new Vod(await openLocalStore(options.dir), options);
    const left = await vod.#store.list();
    vod.#resuming = Promise.all(left.map((assetId) => vod.#resume(assetId))).then(() => undefined);
    vod.#timers.push(
      setInterval(() => void vod.#sweep(), options.assetSweepMs ?? sweepMs),
      setInterval(() => vod.#retell(), retellMs),
    );
    for (const timer of vod.#timers) timer.unref();
    return vod;
  }

  /** Answers whatever is asked below `/uploads`. */
  upload(incoming: IncomingMessage, outgoing: ServerResponse, remoteAddress: string): Promise<void> {
    return this.#uploads.handle(incoming, outgoing, remoteAddress);
  }

  /** Keeps a broadcast from now on, until the answer's `end` is called. */
  record(...args: Parameters<Recordings['begin']>): Recording {
    return this.#recordings.begin(...args);
  }

  /** Ends uploads and jobs; they go on at the next start. Recordings are finished. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#uploads.close(), this.#jobs.close(), this.#recordings.close()]);
    await this.#resuming;
    await this.#telling;
  }

  async #resume(assetId: string): Promise<void> {
    try {
      const record = await readRecord(this.#store, assetId);
      // Its process ended before the first byte.
      if (record === undefined) return await this.#store.remove(assetId);
      if (record.origin === 'recording' && record.state === 'uploading') await this.#recover(record);
      if (record.state === 'processing') await advance(this.#store, record, 'interrupted');
      const told = await readTold(this.#store, assetId);
      if (record.state !== 'uploading' && told !== record.state) void this.#changed(record);
      if (record.state === 'queued') this.#jobs.add(assetId);
    } catch (error) {
      this.#unreadable(assetId, error);
      // Nobody else would ever say how it ended. An asset that is ready stays so for control.
      const reason = 'its record on the disk of the media engine cannot be read';
      if (isMalformed(error)) await this.#control.report(assetId, { status: 'errored', reason }).catch(() => {});
    }
  }

  async #recover(record: AssetRecord): Promise<void> {
    const { assetId } = record;
    const index = await recoverIndex(this.#store, record);
    await endRecording(this.#store, record, index.tracks.length);
    this.#logger.warn('recording was cut by the end of the media engine', { assetId, durationMs: index.durationMs });
  }

  /** Tells the control plane; resolves when it has heard, or could not be reached (then it is tried again). */
  #changed(record: AssetRecord): Promise<void> {
    this.playback.forget(record.assetId);
    this.#telling = this.#telling.then(async () => {
      try {
        await reportAsset(this.#store, this.#control, record);
        this.#untold.delete(record.assetId);
      } catch (error) {
        if (!this.#untold.has(record.assetId))
          this.#logger.warn('the control plane does not hear of an asset', {
            assetId: record.assetId,
            code: toStreamsError(error).code,
          });
        this.#untold.add(record.assetId);
      }
    });
    return this.#telling;
  }

  #progress(assetId: string, percent: number): void {
    if (this.#percent.get(assetId) === percent) return;
    this.#percent.set(assetId, percent);
    this.#telling = this.#telling.then(async () => {
      // Only the newest is worth telling.
      if (this.#percent.get(assetId) !== percent || this.#untold.has(assetId)) return;
      await this.#control.report(assetId, { status: 'processing', percent }).catch(() => undefined);
    });
  }

  #retell(): void {
    for (const assetId of this.#untold)
      void readRecord(this.#store, assetId).then(
        (record) => {
          if (record === undefined) this.#untold.delete(assetId);
          else void this.#changed(record);
        },
        (error) => {
          // What is on the disk does not mend itself; a disk that cannot be read now may be read later.
          if (!isMalformed(error)) return;
          this.#untold.delete(assetId);
          this.#unreadable(assetId, error);
        },
      );
  }

  async #sweep(): Promise<void> {
    try {
      const ids = await this.#store.list();
      for (const assetId of ids) await this.#expire(assetId).catch((error) => this.#sweepFailed(error));
      for (let i = 0; i < ids.length; i += 500)
        for (const assetId of await this.#control.gone(ids.slice(i, i + 500))) await this.#remove(assetId);
    } catch (error) {
      this.#sweepFailed(error);
    }
  }

  #sweepFailed(error: unknown): void {
    this.#logger.debug('sweep of assets failed', { code: toStreamsError(error).code });
  }

  #unreadable(assetId: string, error: unknown): void {
    this.#logger.error('media of an asset cannot be read', { assetId, detail: toStreamsError(error).message });
  }

  async #expire(assetId: string): Promise<void> {
    const record = await readRecord(this.#store, assetId);
    if (record?.origin !== 'upload' || record.state !== 'uploading') return;
    const found = await this.#store.stat(assetId, sourceFile);
    if (Date.now() - (found?.writtenAt ?? record.createdAt) < this.#ageSeconds * 1000) return;
    const reason = `the upload was not finished: nothing came for ${this.#ageSeconds} s`;
    await this.#control.report(assetId, { status: 'errored', reason }).catch(() => undefined);
    await this.#remove(assetId);
    this.#logger.info('unfinished upload thrown away', { assetId });
  }

  async #remove(assetId: string): Promise<void> {
    await this.#jobs.drop(assetId);
    this.playback.forget(assetId);
    this.#percent.delete(assetId);
    await this.#store.remove(assetId);
  }
}

function isMalformed(error: unknown): boolean {
  return toStreamsError(error).code === 'MALFORMED';
}
