import { toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { type AssetRecord, advance, readRecord, sourceFile } from '../asset-record.ts';
import type { MediaStore } from '../media-store.ts';
import type { FfmpegPrograms } from './find-ffmpeg.ts';
import { packageSource } from './package-source.ts';

export type JobsOptions = {
  readonly store: MediaStore;
  readonly logger: Logger;
  /** Asked for each job: it may be installed meanwhile. */
  readonly ffmpeg: () => FfmpegPrograms | undefined;
  /** The record has changed: to be told. */
  changed(record: AssetRecord): Promise<void>;
  progress(assetId: string, percent: number): void;
};

/** A file that ended the process so often is not tried again. */
const maxAttempts = 3;

/** Packages queued assets, one after the other. What it has not finished when the process ends is queued again at the next start. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #queue: string[] = [];
  #running: { assetId: string; abort: AbortController; over: Promise<void> } | undefined;
  #closed = false;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  add(assetId: string): void {
    if (this.#running?.assetId === assetId || this.#queue.includes(assetId)) return;
    this.#queue.push(assetId);
    this.#next();
  }

  /** The asset is gone: its job too, when this resolves. */
  async drop(assetId: string): Promise<void> {
    const at = this.#queue.indexOf(assetId);
    if (at >= 0) this.#queue.splice(at, 1);
    if (this.#running?.assetId !== assetId) return;
    this.#running.abort.abort();
    await this.#running.over;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#running?.abort.abort();
    await this.#running?.over;
  }

  #next(): void {
    if (this.#running !== undefined || this.#closed) return;
    const assetId = this.#queue.shift();
    if (assetId === undefined) return;
    const abort = new AbortController();
    const over = this.#run(assetId, abort.signal)
      .catch((error) =>
        this.#options.logger.error('packaging failed', { assetId, detail: toStreamsError(error).message }),
      )
      .finally(() => {
        this.#running = undefined;
        this.#next();
      });
    this.#running = { assetId, abort, over };
  }

  async #run(assetId: string, signal: AbortSignal): Promise<void> {
    const { store, logger, ffmpeg, changed, progress } = this.#options;
    const record = await readRecord(store, assetId);
    if (record === undefined || record.state !== 'queued') return;
    const startedAt = performance.now();
    try {
      if (record.attempts >= maxAttempts) {
        await this.#errored(record, `packaging it ended the media engine ${record.attempts} times`);
        return;
      }
      await advance(store, record, 'begun', { attempts: record.attempts + 1 });
      progress(assetId, 0);
      const index = await packageSource(record, {
        store,
        ffmpeg: ffmpeg(),
        signal,
        progress: (percent) => progress(assetId, percent),
      });
      await advance(store, record, 'packaged');
      await this.#removeSource(assetId);
      const ms = Math.round(performance.now() - startedAt);
      logger.info('asset is ready', { assetId, ms, durationMs: index.durationMs, bytes: index.bytes });
      await changed(record);
    } catch (thrown) {
      if (signal.aborted) {
        // Not the file's fault.
        await advance(store, record, 'interrupted', { attempts: record.attempts - 1 }).catch(() => undefined);
        return;
      }
      const { code, message } = toStreamsError(thrown);
      if (code === 'INTERNAL') logger.error('packaging failed', { assetId, detail: message });
      await this.#errored(record, code === 'INTERNAL' ? 'something went wrong in the media engine' : message);
    }
  }

  async #errored(record: AssetRecord, reason: string): Promise<void> {
    const { store, logger, changed } = this.#options;
    await advance(store, record, 'failed', { reason });
    await this.#removeSource(record.assetId);
    logger.warn('asset cannot be packaged', { assetId: record.assetId, reason });
    await changed(record);
  }

  /** What is left of it takes room, and changes nothing about the asset. */
  async #removeSource(assetId: string): Promise<void> {
    await this.#options.store.removeFile(assetId, sourceFile).catch((error: unknown) => {
      const reason = toStreamsError(error).message;
      this.#options.logger.warn('the uploaded file of an asset cannot be removed', { assetId, reason });
    });
  }
}
