import { type AssetState, assetEvents, nextAsset } from '../contract/asset-state.ts';
import type { ReceivedOf } from '../contract/endpoints.ts';
import { StreamsError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { requireRoom } from './quotas.ts';
import { recordEvent } from './store/events.ts';
import type { AssetRow, Db } from './store/schema.ts';

/** An event leads from one state to the other. The packager may tell a state again. */
function mayBecome({ status, input_id }: Pick<AssetRow, 'status' | 'input_id'>, told: AssetState): boolean {
  // Only a recording is ready without having been packaged.
  const events = assetEvents.filter((event) => event !== 'recorded' || input_id !== null);
  return status === told || events.some((event) => nextAsset(status, event) === told);
}

/** Takes the packager's word. Throws NOT_FOUND, and CONFLICT for a step that an asset cannot make. */
export async function reportAsset(db: Db, id: string, report: ReceivedOf<'assetState'>, now: number): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const row = await transaction.selectFrom('assets').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw new StreamsError('NOT_FOUND', `there is no asset ${id}`);
    const { status } = report;
    if (!mayBecome(row, status))
      throw new StreamsError('CONFLICT', `an asset that is ${row.status} cannot become ${status}`);
    const percent = status === 'ready' ? 100 : status === 'processing' ? (report.percent ?? row.percent) : 0;
    const reason = status === 'errored' ? (report.reason ?? row.error_reason ?? 'unknown') : null;
    await transaction
      .updateTable('assets')
      .set({
        status,
        percent,
        error_reason: reason,
        duration_ms: report.durationMs ?? row.duration_ms,
        bytes: report.bytes ?? row.bytes,
        updated_at: now,
      })
      .where('id', '=', id)
      .execute();
    if (status === row.status || (status !== 'ready' && status !== 'errored')) return;
    const data = { assetId: id, playbackId: row.playback_id, name: row.name, externalAssetId: row.external_asset_id };
    const orgId = row.org_id;
    if (status === 'ready') await recordEvent(transaction, { orgId, type: 'asset.ready', data, now });
    else await recordEvent(transaction, { orgId, type: 'asset.errored', data: { ...data, reason }, now });
  });
}

/** The asset that a broadcast of `inputId` becomes: `uploading` while it lasts. Throws NOT_FOUND and QUOTA_EXCEEDED. Times in ms since the Unix epoch. */
export async function recordedAsset(
  db: Db,
  { inputId, startedAt, now }: { inputId: string; startedAt: number; now: number },
): Promise<AssetRow> {
  return db.transaction().execute(async (transaction) => {
    const input = await transaction.selectFrom('live_inputs').selectAll().where('id', '=', inputId).executeTakeFirst();
    if (!input) throw new StreamsError('NOT_FOUND', `there is no live input ${inputId}`);
    await requireRoom(transaction, input.org_id, 'assets');
    const name = `${input.name} ${new Date(startedAt).toISOString().slice(0, 19).replace('T', ' ')}`;
    const row = newAsset({ org_id: input.org_id, external_asset_id: null, input_id: inputId, name }, now);
    await transaction.insertInto('assets').values(row).execute();
    return row;
  });
}

/** An asset of which nothing has arrived yet. */
export function newAsset(
  about: Pick<AssetRow, 'org_id' | 'external_asset_id' | 'input_id' | 'name'>,
  now: number,
): AssetRow {
  return {
    ...about,
    id: newId('as'),
    playback_id: newId('pb'),
    status: 'uploading',
    percent: 0,
    error_reason: null,
    duration_ms: null,
    bytes: null,
    promised_bytes: null,
    created_at: now,
    updated_at: now,
  };
}
