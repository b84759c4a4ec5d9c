import { toStreamsError } from '../../core/errors.ts';
import type { AssetControl, AssetReport } from './asset-control.ts';
import { readIndex } from './asset-index.ts';
import { type AssetRecord, writeTold } from './asset-record.ts';
import type { MediaStore } from './media-store.ts';

/**
 * Tells the control plane how an asset stands, and notes that it has heard, or does not know the asset. Rejects with
 * API_UNREACHABLE; then nothing is noted.
 */
export async function reportAsset(store: MediaStore, control: AssetControl, record: AssetRecord): Promise<void> {
  const { assetId, state, reason } = record;
  const report = (status: AssetReport['status'], more: Omit<AssetReport, 'status'> = {}) =>
    control.report(assetId, { status, ...more });
  try {
    // That it is processed is told with its percentage.
    if (state === 'queued' || state === 'processing')
      await report('queued', record.length === null ? {} : { bytes: record.length });
    else if (state === 'errored') await report('errored', { reason: (reason ?? 'unknown').slice(0, 500) });
    else if (state === 'ready') {
      const index = await readIndex(store, assetId);
      const figures = index === undefined ? {} : { durationMs: index.durationMs, bytes: index.bytes };
      await report('ready', figures).catch(async (error) => {
        if (toStreamsError(error).code !== 'CONFLICT') throw error;
        // It has not heard of the steps before, or its input is gone.
        await report('queued').catch(ignoreConflict);
        await report('processing').catch(ignoreConflict);
        await report('ready', figures);
      });
    }
  } catch (thrown) {
    const { code } = toStreamsError(thrown);
    if (code !== 'CONFLICT' && code !== 'NOT_FOUND') throw thrown;
  }
  await writeTold(store, record);
}

function ignoreConflict(error: unknown): void {
  if (toStreamsError(error).code !== 'CONFLICT') throw error;
}
