import type { Hono } from 'hono';

/** Per request: who is at the other end of the socket, and the id in its answer and log line. */
export type AppEnv = { Bindings: { remoteAddress: string }; Variables: { requestId: string } };
export type App = Hono<AppEnv>;
