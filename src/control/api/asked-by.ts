import type { Context } from 'hono';
import type { Asked } from '../addresses.ts';
import type { ControlContext } from '../context.ts';
import type { AppEnv } from './app-env.ts';

/** The name that a request came by: its Host or `:authority`, which whoever sent it has chosen. */
export function askedBy(c: Context<AppEnv>): Asked {
  const { host, protocol } = new URL(c.req.url);
  return { authority: host, secure: protocol === 'https:' };
}

/** The context for one request: addresses in its answer go by the name that the request came by. */
export function contextFor(c: Context<AppEnv>, context: ControlContext): ControlContext {
  return { ...context, endpoints: () => context.endpoints(askedBy(c)) };
}
