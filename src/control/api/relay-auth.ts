import { endpoints } from '../../contract/endpoints.ts';
import { relayAuth } from '../../contract/internal/relay-auth.ts';
import { toStreamsError } from '../../core/errors.ts';
import { httpStatus } from '../../core/http-status.ts';
import { RelaySessions } from '../auth/relay-session.ts';
import type { ControlContext } from '../context.ts';
import type { App } from './app-env.ts';
import { parse } from './parse.ts';
import { readJson } from './read-body.ts';

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
  app.post(endpoints.relayAuth.path, async (c) => {
    const body = parse(relayAuth.request, await readJson(c.req.raw));
    if (body.event === 'end') {
      const { reason, duration: seconds, bytes } = body;
      await sessions.end(body, { reason, seconds, ...bytes });
      return c.body(null, 204);
    }
    try {
      return c.json(await sessions.grant(body, body.event));
    } catch (error) {
      const known = toStreamsError(error);
      const { code, message } = known;
      const status = httpStatus(known);
      // A relay keeps a session for anything but 401 and 403; too many failures or an outage are no verdict.
      if (status >= 500 || status === 429 || status === 401 || status === 403) throw error;
      context.logger.info('relay session refused', { node: body.node, code, reason: message });
      return c.json({ error: { code, message } }, 403);
    }
  });
}
