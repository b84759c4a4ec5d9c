import { z } from 'zod';
import { withDeadline } from '../../core/deadline.ts';
import { StreamsError } from '../../core/errors.ts';
import { requireId } from '../../core/ids.ts';
import { eachThatFits, words } from '../../core/lenient.ts';
import { AccessNews } from '../auth/access-news.ts';
import { authorizePublish } from '../auth/publish.ts';
import { hashSecret, matchesHash } from '../auth/secrets.ts';
import type { ControlContext } from '../context.ts';
import { ingestKind } from '../operations/live-input-view.ts';
import { type Cursor, redeem, revocationsSince } from '../store/revocations.ts';
import type { App } from './app-env.ts';
import { mountInternalAssets } from './internal-assets.ts';
import { parse } from './parse.ts';
import { readJson } from './read-body.ts';

const base64Bytes = z
  .string()
  .max(128)
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const srtKeys = z
  .object({ salt: base64Bytes, keyBytes: z.union([z.literal(16), z.literal(24), z.literal(32)]), wrapped: base64Bytes })
  .refine(({ salt }) => salt.length === 16, 'the salt is of 16 bytes');

const authorizeBody = z.object({
  kind: z.literal('publish'),
  inputId: z.string().max(256),
  streamKey: z.string().max(256).optional(),
  /** Base64: what an SRT caller without a key shows instead. */
  srtKeys: srtKeys.optional(),
  ingest: z.enum([...ingestKind.options, 'moqt', 'engine']),
  remoteAddress: z.string().max(128).optional(),
});

const maxStatsBytes = 4096;
/** Figures that are too many, or none, are left out: the input is live without them. */
const stats = z
  .record(z.string().max(64), z.unknown())
  .refine((value) => JSON.stringify(value).length <= maxStatsBytes, `more than ${maxStatsBytes} bytes`)
  .optional()
  .catch(undefined);

const engineId = z.string().regex(/^[0-9A-Za-z_.-]{1,64}$/);
const liveInput = z.union([
  z
    .string()
    .max(64)
    .transform((inputId) => ({ inputId })),
  z.object({ inputId: z.string().max(64), stats, took: z.boolean().optional().catch(undefined) }),
]);
const erroredInput = z.object({ inputId: z.string().max(64), reason: words(500) });
const maxInputs = 10_000;

/** What is said of one input never keeps the engine from being heard. */
const heartbeatBody = z.object({
  engineId,
  /** Input ids, bare or in objects that say more. */
  live: eachThatFits(liveInput, maxInputs).transform(({ fitting }) => fitting),
  errored: eachThatFits(erroredInput, maxInputs)
    .transform(({ fitting }) => fitting)
    .prefault([]),
});
/** As many inputs, with all that may be said of them. */
const maxHeartbeatBytes = maxInputs * (maxStatsBytes + 1024);

const claimBody = z.object({ engineId, inputId: z.string().max(64) });

const maxWaitSeconds = 30;

const redeemBody = z.object({
  org: z.string().max(64),
  jti: z.string().min(1).max(256),
  expiresAt: z.number(),
});

/** For the engine and the relay only. Without the service token there is nothing here. */
export function mountInternal(app: App, context: ControlContext, serviceToken: string): void {
  const serviceHash = hashSecret(serviceToken);
  app.use('/internal/*', async (c, next) => {
    const token = shownToken(c.req.header('authorization') ?? '', c.req.path, c.req.query('token'));
    if (token === undefined || !matchesHash(token, serviceHash))
      throw new StreamsError('NOT_FOUND', 'there is nothing here');
    await next();
  });

  app.post('/internal/authorize', async (c) =>
    c.json(await authorizePublish(context, parse(authorizeBody, await readJson(c.req.raw)))),
  );

  const news = new AccessNews(context.db, () => context.now());

  /**
   * With `seen` (a `version` of before) and `wait` (seconds) the answer is held until there is news. With `before` (a `next` of before)
   * it is the next page.
   */
  app.get('/internal/revocations', async (c) => {
    const since = Number(/^\d{1,15}$/.exec(c.req.query('since') ?? '0')?.[0] ?? 0);
    const waitSeconds = Math.min(maxWaitSeconds, Number(/^\d{1,3}$/.exec(c.req.query('wait') ?? '0')?.[0] ?? 0));
    const seen = c.req.query('seen');
    if (seen !== undefined && waitSeconds > 0)
      await withDeadline(waitSeconds * 1000, c.req.raw.signal, (signal) => news.newerThan(seen, signal));
    const before = cursorOf(c.req.query('before'));
    // Before the rows: what comes in between is told again. The first page's is that of all.
    const version = before === undefined ? await news.version() : undefined;
    const { until, rows, next } = await revocationsSince(context.db, since, context.now(), before);
    return c.json({
      version: version?.all,
      keys: version?.keys,
      until,
      ...(next && { next: `${next.at}.${next.id}` }),
      revocations: rows.map(({ org_id, kind, value, at, expires_at }) => ({
        kind,
        org: org_id,
        value,
        at,
        expiresAt: expires_at,
      })),
    });
  });

  app.post('/internal/playback-tokens/redeem', async (c) => {
    const { org, jti, expiresAt } = parse(redeemBody, await readJson(c.req.raw));
    if (!(await redeem(context.db, { orgId: org, jti, expiresAt })))
      throw new StreamsError('CONFLICT', 'the one-time token was used before');
    return c.json({ ok: true });
  });

  mountInternalAssets(app, context);

  /** What a relay that runs alone has to know before it can check tokens. */
  app.get('/internal/installation', (c) => c.json({ issuer: context.issuer }));

  app.post('/internal/engine/heartbeat', async (c) => {
    const { stop, moved, record } = await context.liveness.heartbeat(
      parse(heartbeatBody, await readJson(c.req.raw, maxHeartbeatBytes)),
    );
    return c.json({ ok: true, stop, moved, record });
  });

  app.post('/internal/engine/claim', async (c) => {
    const claim = parse(claimBody, await readJson(c.req.raw));
    if (!(await context.liveness.claim(claim))) throw new StreamsError('CONFLICT', 'another engine holds the input');
    return c.json({ ok: true });
  });
}

function cursorOf(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const [, at, id = ''] = /^(\d{1,15})\.(\w+)$/.exec(text) ?? [];
  return { at: Number(at), id: requireId('rev', id) };
}

/** Bearer; where a relay asks that can only be given a URL, also its password (Basic) or `?token=`. */
function shownToken(authorization: string, path: string, query: string | undefined): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined || path !== '/internal/relay-auth') return bearer;
  const basic = /^Basic +([0-9A-Za-z+/=]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return query;
  return Buffer.from(basic, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '');
}
