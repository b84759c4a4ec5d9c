import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Broadcast } from '../broadcast.ts';
import { Recorder } from '../record/recorder.ts';
import type { AssetControl } from './asset-control.ts';
import { type AssetRecord, endRecording, writeRecord } from './asset-record.ts';
import type { MediaStore } from './media-store.ts';
import { recoverIndex } from './recover-index.ts';

export type RecordingsOptions = {
  readonly store: MediaStore;
  readonly control: AssetControl;
  readonly logger: Logger;
  changed(record: AssetRecord): Promise<void>;
};

/** A broadcast that is being kept. */
export type Recording = {
  /** The broadcast is over: resolves when its asset is ready, or errored. Never rejects. Idempotent. */
  end(): Promise<void>;
};

const retryMs = 1000;

/** The broadcasts that become assets. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #open = new Set<Recording>();
  #closing = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** `broadcast` is followed until `end`. */
  begin(inputId: string, broadcast: Pick<Broadcast, 'catalog' | 'find' | 'restarts' | 'startedAt'>): Recording {
    const { logger } = this.#options;
    const recorder = new Recorder(broadcast, logger);
    let over = false;
    const begun = this.#begin(inputId, broadcast.startedAt, recorder, () => over);
    let ending: Promise<void> | undefined;
    const recording: Recording = {
      end: () => {
        over = true;
        ending ??= begun
          .then((record) => this.#finish(recorder, record))
          .catch((error) => logger.error('recording failed', { inputId, detail: toStreamsError(error).message }))
          .finally(() => this.#open.delete(recording));
        return ending;
      },
    };
    this.#open.add(recording);
    return recording;
  }

  /** Finishes all. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#open].map((recording) => recording.end()));
  }

  /** Asks for the asset as long as the broadcast lasts. */
  async #begin(
    inputId: string,
    startedAt: number,
    recorder: Recorder,
    over: () => boolean,
  ): Promise<AssetRecord | undefined> {
    const { store, control, logger } = this.#options;
    for (;;) {
      try {
        const asset = await control.recording(inputId, startedAt);
        const record: AssetRecord = {
          version: 1,
          ...asset,
          origin: 'recording',
          state: 'uploading',
          length: null,
          filename: '',
          createdAt: Date.now(),
          attempts: 0,
        };
        await store.create(asset.assetId, asset.playbackId);
        await writeRecord(store, record);
        recorder.into(store, record);
        logger.info('recording', { inputId, assetId: asset.assetId });
        return record;
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (code !== 'API_UNREACHABLE' || over() || this.#closing) {
          logger.error('the broadcast is not recorded', { inputId, code, reason: message });
          await recorder.close();
          return undefined;
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async #finish(recorder: Recorder, record: AssetRecord | undefined): Promise<void> {
    if (record === undefined) return;
    const { store, logger, changed } = this.#options;
    const result = await recorder.finish().catch(async (error) => {
      logger.error('recording was cut', { assetId: record.assetId, reason: toStreamsError(error).message });
      const { durationMs, tracks } = await recoverIndex(store, record);
      return { durationMs, tracks: tracks.length };
    });
    await endRecording(store, record, result.tracks);
    logger.info('recording is over', { assetId: record.assetId, durationMs: result.durationMs });
    await changed(record);
  }
}
