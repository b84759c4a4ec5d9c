import type { ErrorCode } from '../../core/errors.ts';
import { StreamsError } from '../../core/errors.ts';
import { HttpError, httpStatus } from '../../core/http-status.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { ControlContext } from '../context.ts';
import { invoke } from '../operations/define.ts';
import { operations } from '../operations/registry.ts';
import type { App } from './app-env.ts';
import { contextFor } from './asked-by.ts';
import { retryAfter, toClientError } from './http-error.ts';
import { parseJson, readJson } from './read-body.ts';
import { inTrpcForm } from './trpc-forms.ts';

const prefixes = ['/api/trpc', '/trpc'];

/**
 * The operations in tRPC's wire form (https://trpc.io/docs/rpc): `streams.<noun>.<verb>`, GET `?input=<json>` for queries, POST
 * with a JSON body for mutations. Field shapes are those of published SDKs (`trpc-forms.ts`). Calls in batches are refused.
 */
export function mountTrpc(app: App, context: ControlContext): void {
  const byPath = new Map(operations.map((operation) => [`streams.${operation.name}`, operation]));
  for (const prefix of prefixes)
    app.all(`${prefix}/:path`, async (c) => {
      const path = c.req.param('path');
      try {
        const caller = await authenticate(context, c.req.header('authorization') ?? null, c.env.remoteAddress);
        const operation = byPath.get(path);
        if (!operation) throw new StreamsError('NOT_FOUND', 'there is no such procedure');
        if (c.req.query('batch') !== undefined)
          throw new StreamsError('INVALID_ARGUMENT', 'batches are not supported: send one call a request');
        const method = operation.kind === 'query' ? 'GET' : 'POST';
        if (c.req.method !== method) throw new HttpError(405, 'UNSUPPORTED', `call this procedure with ${method}`);
        const text = c.req.query('input');
        const input =
          method === 'POST' ? await readJson(c.req.raw) : text === undefined ? undefined : parseJson(text, 'input');
        const run = (fields: unknown) =>
          invoke(contextFor(c, context), operation, caller, fields, {
            form: 'trpc',
            requestId: c.get('requestId'),
            idempotencyKey: c.req.header('idempotency-key'),
          });
        const data = await inTrpcForm(operation.name, run, input);
        return c.json({ result: { data } }, 200, { 'cache-control': 'no-store' });
      } catch (error) {
        const known = toClientError(error, c.get('requestId'), context.logger);
        const { code, message } = known;
        const [name, number] = trpcCodes[code] ?? internal;
        const status = httpStatus(known);
        return Response.json(
          { error: { message, code: number, data: { code: name, httpStatus: status, path } } },
          { status, headers: retryAfter(code) },
        );
      }
    });
}

/** Names and JSON-RPC numbers of tRPC's error codes. */
const internal = ['INTERNAL_SERVER_ERROR', -32603] as const;
const trpcCodes: Partial<Record<ErrorCode, readonly [string, number]>> = {
  INVALID_ARGUMENT: ['BAD_REQUEST', -32600],
  MALFORMED: ['PARSE_ERROR', -32700],
  UNAUTHORIZED: ['UNAUTHORIZED', -32001],
  FORBIDDEN: ['FORBIDDEN', -32003],
  NOT_FOUND: ['NOT_FOUND', -32004],
  UNSUPPORTED: ['METHOD_NOT_SUPPORTED', -32005],
  TIMEOUT: ['TIMEOUT', -32008],
  CONFLICT: ['CONFLICT', -32009],
  LIMIT_EXCEEDED: ['PAYLOAD_TOO_LARGE', -32013],
  QUOTA_EXCEEDED: ['FORBIDDEN', -32003],
  RATE_LIMITED: ['TOO_MANY_REQUESTS', -32029],
  STORE_UNAVAILABLE: ['SERVICE_UNAVAILABLE', -32603],
};
