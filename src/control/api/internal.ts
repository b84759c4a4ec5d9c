import { engineClaim, heartbeat } from '../../contract/internal/heartbeat.ts';
import { installation, revocations, tokenRedeem } from '../../contract/internal/playback.ts';
import { publishAuthorize } from '../../contract/internal/publish-authorize.ts';
import { withDeadline } from '../../core/deadline.ts';
import { StreamsError } from '../../core/errors.ts';
import { requireId } from '../../core/ids.ts';
import { AccessNews } from '../auth/access-news.ts';
import { authorizePublish } from '../auth/publish.ts';
import { hashSecret, matchesHash } from '../auth/secrets.ts';
import type { ControlContext } from '../context.ts';
import { type Cursor, redeem, revocationsSince } from '../store/revocations.ts';
import type { App } from './app-env.ts';
import { mountInternalAssets } from './internal-assets.ts';
import { mountEndpoint } from './mount-endpoint.ts';

const maxWaitSeconds = 30;

/** For the engine and the relay only. Without the service token there is nothing here. */
export function mountInternal(app: App, context: ControlContext, serviceToken: string): void {
  const serviceHash = hashSecret(serviceToken);
  app.use('/internal/*', async (c, next) => {
    const token = shownToken(c.req.header('authorization') ?? '', c.req.path, c.req.query('token'));
    if (token === undefined || !matchesHash(token, serviceHash))
      throw new StreamsError('NOT_FOUND', 'there is nothing here');
    await next();
  });

  mountEndpoint(app, 'publishAuthorize', publishAuthorize, (request) => authorizePublish(context, request));

  const news = new AccessNews(context.db, () => context.now());

  /**
   * With `seen` (a `version` of before) and `wait` (seconds) the answer is held until there is news. With `before` (a `next` of before)
   * it is the next page.
   */
  mountEndpoint(app, 'revocations', revocations, async ({ since, seen, wait, before }, { signal: gone }) => {
    const waitSeconds = Math.min(maxWaitSeconds, wait);
    if (seen !== undefined && waitSeconds > 0)
      await withDeadline(waitSeconds * 1000, gone, (signal) => news.newerThan(seen, signal));
    // Before the rows: what comes in between is told again. The first page's is that of all.
    const version = before === undefined ? await news.version() : undefined;
    const { until, rows, next } = await revocationsSince(context.db, since, context.now(), cursorOf(before));
    return {
      ...(version && { version: version.all, keys: version.keys }),
      until,
      ...(next && { next: `${next.at}.${next.id}` }),
      revocations: rows.map(({ org_id, kind, value, at, expires_at }) => ({
        kind,
        org: org_id,
        value,
        at,
        expiresAt: expires_at,
      })),
    };
  });

  mountEndpoint(app, 'tokenRedeem', tokenRedeem, async ({ org, jti, expiresAt }) => {
    if (!(await redeem(context.db, { orgId: org, jti, expiresAt })))
      throw new StreamsError('CONFLICT', 'the one-time token was used before');
    return { ok: true };
  });

  mountInternalAssets(app, context);

  mountEndpoint(app, 'installation', installation, () => ({ issuer: context.issuer }));

  mountEndpoint(app, 'heartbeat', heartbeat, async (beat) => ({
    ok: true,
    ...(await context.liveness.heartbeat(beat)),
  }));

  mountEndpoint(app, 'engineClaim', engineClaim, async (claim) => {
    if (!(await context.liveness.claim(claim))) throw new StreamsError('CONFLICT', 'another engine holds the input');
    return { ok: true };
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
