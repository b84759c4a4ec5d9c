import { Hono } from 'hono';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { ControlContext } from '../context.ts';
import { mountAnalytics } from './analytics.ts';
import type { App } from './app-env.ts';
import { errorResponse, toClientError } from './http-error.ts';
import { mountInternal } from './internal.ts';
import { loggable } from './loggable.ts';
import { HttpMetrics, mountMetrics } from './metrics.ts';
import { mountOpenApi } from './openapi.ts';
import { mountPublic } from './public.ts';
import { mountRelayAuth } from './relay-auth.ts';
import { mountRest } from './rest.ts';
import { mountTrpc } from './trpc.ts';
import { mountWeb } from './web.ts';

/** Asked again and again by machines: no news in the log. */
const polled = new Set(['/healthz', '/readyz', '/metrics', '/.well-known/jwks.json', '/endpoints.json']);

export type AppOptions = { serviceToken: string; webDir: string | undefined };

/** The whole HTTP surface; the runtime's server is an adapter around its `fetch`. */
export function createApp(context: ControlContext, options: AppOptions): App {
  const app: App = new Hono();
  const metrics = new HttpMetrics();

  app.use(async (c, next) => {
    const requestId = newId('req');
    c.set('requestId', requestId);
    const started = performance.now();
    await next();
    c.res.headers.set('x-request-id', requestId);
    c.res.headers.set('x-content-type-options', 'nosniff');
    const path = loggable(c.req.path);
    metrics.count(c.req.method, c.res.status);
    const fields = {
      method: c.req.method,
      path,
      status: c.res.status,
      ms: Math.round(performance.now() - started),
      requestId,
    };
    if (path.startsWith('/internal/') || polled.has(path)) context.logger.debug('request', fields);
    else context.logger.info('request', fields);
  });

  app.onError((error, c) => {
    const requestId = c.get('requestId');
    return errorResponse(toClientError(error, requestId, context.logger), requestId);
  });
  app.notFound((c) => errorResponse(new StreamsError('NOT_FOUND', 'there is nothing here'), c.get('requestId')));

  mountRest(app, context);
  mountOpenApi(app, context);
  mountTrpc(app, context);
  mountInternal(app, context, options.serviceToken);
  mountRelayAuth(app, context, options.serviceToken);
  mountAnalytics(app, context);
  mountPublic(app, context);
  mountMetrics(app, context, metrics);
  mountWeb(app, options.webDir);
  return app;
}
