import { withDeadline } from '../../core/deadline.ts';
import { StreamsError } from '../../core/errors.ts';
import { PublicJwks } from '../auth/jwks.ts';
import type { ControlContext } from '../context.ts';
import type { App } from './app-env.ts';
import { askedBy } from './asked-by.ts';

/** A store that is silent for longer is not ready to serve. */
const readyMs = 3000;

/** What anybody may read: signing keys' public halves, where the relay is, whether the server lives. */
export function mountPublic(app: App, context: ControlContext): void {
  const jwks = new PublicJwks(context.db);
  app.get('/.well-known/jwks.json', async (c) => {
    const { body, etag } = await jwks.at(context.now());
    const headers = { 'cache-control': 'public, max-age=5', 'access-control-allow-origin': '*', etag };
    if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers);
    return c.body(body, 200, { ...headers, 'content-type': 'application/json' });
  });

  app.get('/endpoints.json', (c) => {
    // For the asker alone: nothing keeps this answer.
    const { relayUrl, certificateSha256 } = context.endpoints(askedBy(c), true);
    const publicUrl = context.endpoints(askedBy(c)).relayUrl;
    const relay =
      relayUrl === undefined
        ? null
        : { url: relayUrl, certificateSha256, ...(publicUrl !== relayUrl && { publicUrl }) };
    return c.json({ relay }, 200, { 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
  });

  app.get('/healthz', (c) => c.json({ ok: true }));

  app.get('/readyz', async (c) => {
    const asking = context.db.selectFrom('meta').select('key').limit(1).execute();
    await withDeadline(readyMs, undefined, (late) =>
      Promise.race([asking, new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(silent())))]),
    );
    return c.json({ ok: true });
  });
}

function silent(): StreamsError {
  return new StreamsError('STORE_UNAVAILABLE', `the store did not answer within ${readyMs / 1000} s`);
}
