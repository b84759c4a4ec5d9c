import type { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { HttpError } from '../../core/http-status.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { ControlContext } from '../context.ts';
import { creates, invoke, type Operation, takesBody } from '../operations/define.ts';
import { operations } from '../operations/registry.ts';
import type { App } from './app-env.ts';
import { contextFor } from './asked-by.ts';
import { readJson } from './read-body.ts';

/** Every operation at its REST address under `/v1`. Addresses in answers go by the name that a request came by. */
export function mountRest(app: App, context: ControlContext): void {
  for (const operation of operations) {
    const { method, path } = operation.rest;
    app.on(method, honoPath(path), async (c) => {
      const caller = await authenticate(context, c.req.header('authorization') ?? null, c.env.remoteAddress);
      const given = takesBody(method) ? await objectBody(c.req.raw) : queryInput(operation, new URL(c.req.url));
      const input = { ...given, ...c.req.param() };
      const output = await invoke(contextFor(c, context), operation, caller, input, {
        form: 'rest',
        requestId: c.get('requestId'),
        idempotencyKey: c.req.header('idempotency-key'),
      });
      return c.json(output, creates(operation) ? 201 : 200, { 'cache-control': 'no-store' });
    });
  }
  for (const path of new Set(operations.map((operation) => operation.rest.path))) {
    const allowed = operations.filter((o) => o.rest.path === path).map((o) => o.rest.method);
    app.all(honoPath(path), () => {
      throw new HttpError(405, 'UNSUPPORTED', `this address takes ${allowed.join(', ')}`);
    });
  }
}

function honoPath(path: string): string {
  return `/v1${path.replace('{id}', ':id')}`;
}

async function objectBody(request: Request): Promise<object> {
  const body = (await readJson(request)) ?? {};
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new StreamsError('INVALID_ARGUMENT', 'the body must be a JSON object');
  return body;
}

/** Query values are text: turned into what the operation's input says the field is. */
function queryInput(operation: Operation, url: URL): object {
  const fields = operation.input.shape as Record<string, z.ZodType>;
  const input: Record<string, unknown> = {};
  for (const [key, text] of url.searchParams) if (Object.hasOwn(fields, key)) input[key] = fromText(fields[key]!, text);
  return input;
}

/** The first reading of the text that the field accepts; the text itself when none is, for the error it deserves. */
function fromText(field: z.ZodType, text: string): unknown {
  const readings: unknown[] = [text];
  if (/^-?\d{1,15}$/.test(text)) readings.push(Number(text));
  if (text === 'true' || text === 'false') readings.push(text === 'true');
  return readings.find((value) => field.safeParse(value).success) ?? text;
}
