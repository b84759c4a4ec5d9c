import { assetState, assetsGone, recordings, uploadAuthorize } from '../../contract/internal/assets.ts';
import { StreamsError } from '../../core/errors.ts';
import { isId, newId } from '../../core/ids.ts';
import { recordedAsset, reportAsset } from '../asset-state.ts';
import { authenticate, requireScope } from '../auth/authenticate.ts';
import type { Caller, ControlContext } from '../context.ts';
import { assetsCreate } from '../operations/assets/create.ts';
import { invoke } from '../operations/define.ts';
import { requireRoom } from '../quotas.ts';
import type { App } from './app-env.ts';
import { mountEndpoint } from './mount-endpoint.ts';

/** What the packager asks and tells about assets; mounted behind the service token. */
export function mountInternalAssets(app: App, context: ControlContext): void {
  mountEndpoint(app, 'assetState', assetState, async (report, { id }) => {
    await reportAsset(context.db, id, report, context.now());
    return { ok: true };
  });

  mountEndpoint(app, 'recordings', recordings, async ({ inputId, startedAt }) => {
    const row = await recordedAsset(context.db, { inputId, startedAt, now: context.now() });
    return { assetId: row.id, playbackId: row.playback_id, orgId: row.org_id };
  });

  // What this store never knew is not among the deleted.
  mountEndpoint(app, 'assetsGone', assetsGone, async ({ ids }) => {
    const rows =
      ids.length === 0 ? [] : await context.db.selectFrom('assets').select('id').where('id', 'in', ids).execute();
    const missing = ids.filter((id) => !rows.some((row) => row.id === id));
    if (missing.length === 0) return { gone: [] };
    const deleted = await context.db
      .selectFrom('audit_log')
      .select('target')
      .distinct()
      .where('action', '=', 'assets.delete')
      .where('target', 'in', missing)
      .execute();
    return { gone: deleted.map(({ target }) => target) };
  });

  mountEndpoint(
    app,
    'uploadAuthorize',
    uploadAuthorize,
    async ({ apiKey, remoteAddress, create, promise }, { requestId }) => {
      const caller = await authenticate(context, `Bearer ${apiKey}`, remoteAddress);
      requireScope(caller, 'streams:write');
      if (promise !== undefined) await promiseBytes(context, caller.orgId, promise);
      if (create === undefined) return { orgId: caller.orgId };
      return { orgId: caller.orgId, ...(await assetToFill(context, caller, create, requestId)) };
    },
  );
}

async function assetToFill(
  context: ControlContext,
  caller: Caller,
  create: { name: string; assetId?: string | undefined; bytes?: number | undefined },
  requestId: string | undefined,
): Promise<{ assetId: string; playbackId: string }> {
  const { assetId, bytes = 0 } = create;
  if (assetId === undefined) {
    const options = { form: 'rest', requestId: requestId ?? newId('req') } as const;
    const made = await invoke(context, assetsCreate, caller, { name: create.name }, options);
    const asset = { assetId: String(made.id), playbackId: String(made.playbackId) };
    try {
      await promiseBytes(context, caller.orgId, { assetId: asset.assetId, bytes });
    } catch (error) {
      await context.db.deleteFrom('assets').where('id', '=', asset.assetId).execute(); // nobody knows of it
      throw error;
    }
    return asset;
  }
  const row = isId('as', assetId)
    ? await context.db
        .selectFrom('assets')
        .select(['status', 'playback_id', 'input_id'])
        .where('id', '=', assetId)
        .where('org_id', '=', caller.orgId)
        .executeTakeFirst()
    : undefined;
  if (row === undefined)
    throw new StreamsError('NOT_FOUND', 'there is no such asset to upload into', { hint: 'streams assets list' });
  if (row.status !== 'uploading' || row.input_id !== null)
    throw new StreamsError('CONFLICT', `the asset is ${row.input_id === null ? row.status : 'a recording'}`, {
      hint: 'Upload into a new one.',
    });
  await promiseBytes(context, caller.orgId, { assetId, bytes });
  return { assetId, playbackId: row.playback_id };
}

/** Notes how long an upload will be. Throws QUOTA_EXCEEDED when all unfinished ones of the org would be too long. */
async function promiseBytes(
  { db }: ControlContext,
  orgId: string,
  { assetId, bytes }: { assetId: string; bytes: number },
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('assets')
      .select('promised_bytes')
      .where('id', '=', assetId)
      .where('org_id', '=', orgId)
      .executeTakeFirst();
    if (row === undefined) return; // it was deleted meanwhile, of which the engine hears
    const more = bytes - (row.promised_bytes ?? 0);
    if (more > 0) await requireRoom(transaction, orgId, 'unfinishedBytes', more);
    await transaction.updateTable('assets').set({ promised_bytes: bytes }).where('id', '=', assetId).execute();
  });
}
