import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { isId, newId } from '../../core/ids.ts';
import { words } from '../../core/lenient.ts';
import { recordedAsset, reportAsset } from '../asset-state.ts';
import { authenticate, requireScope } from '../auth/authenticate.ts';
import type { Caller, ControlContext } from '../context.ts';
import { assetsCreate } from '../operations/assets-create.ts';
import { invoke } from '../operations/define.ts';
import { name } from '../operations/fields.ts';
import type { App } from './app-env.ts';
import { parse } from './parse.ts';
import { readJson } from './read-body.ts';

const stateBody = z.object({
  status: z.enum(['uploading', 'queued', 'processing', 'ready', 'errored']),
  percent: z.int().min(0).max(100).optional(),
  reason: words(500).optional(),
  durationMs: z.int().min(0).optional(),
  bytes: z.int().min(0).optional(),
});

const recordingBody = z.object({ inputId: z.string().max(64), startedAt: z.number() });

const uploadBody = z.object({
  apiKey: z.string().max(256),
  remoteAddress: z.string().max(128),
  /** A new upload: into a new asset, or into one that waits for its media. */
  create: z.object({ name, assetId: z.string().max(64).optional() }).optional(),
});

const knownBody = z.object({ ids: z.array(z.string().max(64)).max(1000) });

/** What the packager asks and tells about assets; mounted behind the service token. */
export function mountInternalAssets(app: App, context: ControlContext): void {
  app.post('/internal/assets/:id/state', async (c) => {
    await reportAsset(context.db, c.req.param('id'), parse(stateBody, await readJson(c.req.raw)), context.now());
    return c.json({ ok: true });
  });

  /** A broadcast is going to be kept. */
  app.post('/internal/recordings', async (c) => {
    const { inputId, startedAt } = parse(recordingBody, await readJson(c.req.raw));
    const row = await recordedAsset(context.db, { inputId, startedAt, now: context.now() });
    return c.json({ assetId: row.id, playbackId: row.playback_id, orgId: row.org_id });
  });

  /** Of these ids, the assets that were deleted: their media may go. What this store never knew is not among them. */
  app.post('/internal/assets-gone', async (c) => {
    const { ids } = parse(knownBody, await readJson(c.req.raw));
    const rows =
      ids.length === 0 ? [] : await context.db.selectFrom('assets').select('id').where('id', 'in', ids).execute();
    const missing = ids.filter((id) => !rows.some((row) => row.id === id));
    if (missing.length === 0) return c.json({ gone: [] });
    const deleted = await context.db
      .selectFrom('audit_log')
      .select('target')
      .distinct()
      .where('action', '=', 'assets.delete')
      .where('target', 'in', missing)
      .execute();
    return c.json({ gone: deleted.map(({ target }) => target) });
  });

  /** Whether an API key may upload, and into which asset. */
  app.post('/internal/uploads/authorize', async (c) => {
    const { apiKey, remoteAddress, create } = parse(uploadBody, await readJson(c.req.raw));
    const caller = await authenticate(context, `Bearer ${apiKey}`, remoteAddress);
    requireScope(caller, 'streams:write');
    if (create === undefined) return c.json({ orgId: caller.orgId });
    const { assetId, playbackId } = await assetToFill(context, caller, create, c.get('requestId'));
    return c.json({ orgId: caller.orgId, assetId, playbackId });
  });
}

async function assetToFill(
  context: ControlContext,
  caller: Caller,
  create: { name: string; assetId?: string | undefined },
  requestId: string,
): Promise<{ assetId: string; playbackId: string }> {
  const { assetId } = create;
  if (assetId === undefined) {
    const options = { form: 'rest', requestId: requestId ?? newId('req') } as const;
    const made = await invoke(context, assetsCreate, caller, { name: create.name }, options);
    return { assetId: String(made.id), playbackId: String(made.playbackId) };
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
  return { assetId, playbackId: row.playback_id };
}
