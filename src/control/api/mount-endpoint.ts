import type { z } from 'zod';
import {
  type AnswerOf,
  type EndpointName,
  type Endpoints,
  endpoints,
  type ReceivedOf,
} from '../../contract/endpoints.ts';
import type { App } from './app-env.ts';
import { parse } from './parse.ts';
import { readJson } from './read-body.ts';

type Asked = {
  /** What `:id` of the path is; '' where it has none. */
  readonly id: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  readonly requestId: string | undefined;
};

/** Answers an endpoint of the internal API at its place in the contract. A request of another shape is refused with INVALID_ARGUMENT. */
export function mountEndpoint<Name extends EndpointName>(
  app: App,
  name: Name,
  shapes: Endpoints[Name],
  answer: (request: ReceivedOf<Name>, asked: Asked) => AnswerOf<Name> | Promise<AnswerOf<Name>>,
): void {
  const { method, path } = endpoints[name];
  app.on(method, path, async (c) => {
    const body = method === 'GET' ? c.req.query() : await readJson(c.req.raw, shapes.maxBytes);
    const request = parse(shapes.request as z.ZodType, body) as ReceivedOf<Name>;
    const asked = { id: c.req.param('id') ?? '', signal: c.req.raw.signal, requestId: c.get('requestId') };
    return c.json((await answer(request, asked)) as object);
  });
}
