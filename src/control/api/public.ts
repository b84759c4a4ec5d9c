import { publicJwks } from '../auth/jwks.ts';
import type { ControlContext } from '../context.ts';
import type { App } from './app-env.ts';
import { askedBy } from './asked-by.ts';

/** What anybody may read: signing keys' public halves, where the relay is, whether the server lives. */
export function mountPublic(app: App, context: ControlContext): void {
  app.get('/.well-known/jwks.json', async (c) =>
    c.json(await publicJwks(context.db, context.now()), 200, {
      'cache-control': 'public, max-age=5',
      'access-control-allow-origin': '*',
    }),
  );

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
    await context.db.selectFrom('meta').select('key').limit(1).execute();
    return c.json({ ok: true });
  });
}
