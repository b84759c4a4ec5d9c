import { z } from 'zod';
import { toStreamsError } from '../../core/errors.ts';
import { words } from '../../core/lenient.ts';
import { RelaySessions } from '../auth/relay-session.ts';
import type { ControlContext } from '../context.ts';
import type { App } from './app-env.ts';
import { statusOf } from './http-error.ts';
import { parse } from './parse.ts';
import { readJson } from './read-body.ts';

/** Members we do not use are let through: the contract grows. */
const relaySession = z.object({
  id: z.string().regex(/^[0-9a-f]{1,64}$/i),
  event: z.enum(['connect', 'revalidate', 'end']),
  node: z.string().max(128).default(''),
  transport: z.string().max(32),
  remote: z.string().max(128).optional(),
  path: z.string().max(16_384),
  query: z.string().max(16_384).optional(),
  token: z.object({ kind: z.int(), value: z.string().max(16_384) }).optional(),
  tls: z.unknown().optional(),
  reason: words(200).default('unknown'),
  duration: z.number().min(0).default(0),
  bytes: z.object({ sent: z.number().default(0), received: z.number().default(0) }).prefault({}),
});

/**
 * The auth server's side of moq-relay 0.15 and later (`[auth] url`): `POST /internal/relay-auth`. A relay has no way to add a
 * header, so the service token may come in the URL: `http://relay:<service token>@127.0.0.1:8080/internal/relay-auth`, or
 * `?token=<service token>`.
 */
export function mountRelayAuth(app: App, context: ControlContext, serviceToken: string): void {
  const sessions = new RelaySessions(
    context,
    async (request) => app.fetch(request, { remoteAddress: 'in-process' }),
    serviceToken,
  );
  app.post('/internal/relay-auth', async (c) => {
    const body = parse(relaySession, await readJson(c.req.raw));
    if (body.event === 'end') {
      const { reason, duration: seconds, bytes } = body;
      await sessions.end(body, { reason, seconds, ...bytes });
      return c.body(null, 204);
    }
    try {
      return c.json(await sessions.grant(body, body.event));
    } catch (error) {
      const { code, message } = toStreamsError(error);
      const status = statusOf(code);
      // A relay keeps a session for anything but 401 and 403; too many failures or an outage are no verdict.
      if (status >= 500 || status === 429 || status === 401 || status === 403) throw error;
      context.logger.info('relay session refused', { node: body.node, code, reason: message });
      return c.json({ error: { code, message } }, 403);
    }
  });
}
