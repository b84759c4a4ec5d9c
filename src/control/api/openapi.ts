import { z } from 'zod';
import type { ControlContext } from '../context.ts';
import { creates, type Operation, takesBody } from '../operations/define.ts';
import { operations } from '../operations/registry.ts';
import type { App } from './app-env.ts';

/** The OpenAPI 3.1 document of `/v1`, made from the operations themselves. */
export function mountOpenApi(app: App, context: ControlContext): void {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const at = `/v1${operation.rest.path}`;
    paths[at] = { ...paths[at], [operation.rest.method.toLowerCase()]: describe(operation) };
  }
  app.get('/v1/openapi.json', (c) =>
    c.json({
      openapi: '3.1.0',
      info: { title: 'streams', version: '1', description: 'Control plane of live and on-demand video.' },
      // Whoever passes the document on passes on no name that a request has brought.
      servers: [{ url: context.endpoints().publicHttpUrl }],
      security: [{ apiKey: [] }],
      paths,
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'ak_live_…' } },
        parameters: { IdempotencyKey: idempotencyKey },
        schemas: { Error: errorSchema },
        responses: {
          Error: {
            description: 'The status says the kind, `code` the reason',
            headers: { 'x-request-id': { schema: { type: 'string' } } },
            content: json({ $ref: '#/components/schemas/Error' }),
          },
        },
      },
    }),
  );
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same request with the same key is done once and answered alike for 24 h; another request is refused',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        hint: { type: 'string' },
        requestId: { type: 'string' },
      },
    },
  },
};

function describe(operation: Operation): object {
  const { method, path, adds } = operation.rest;
  const input = schema(operation.input, 'input');
  const { id, ...fields } = input.properties ?? {};
  const inPath = path.includes('{id}');
  const required = (input.required ?? []).filter((field) => field !== 'id');
  const parameters: object[] = inPath ? [{ name: 'id', in: 'path', required: true, schema: id }] : [];
  if (!takesBody(method))
    for (const [name, field] of Object.entries(fields))
      parameters.push({ name, in: 'query', required: required.includes(name), schema: field });
  if (operation.target) parameters.push({ $ref: '#/components/parameters/IdempotencyKey' });
  const output = schema(adds ? operation.output.extend(adds.output.shape) : operation.output, 'output');
  const status = creates(operation) ? 201 : 200;
  return {
    operationId: operation.name,
    summary: operation.summary,
    tags: [operation.name.split('.')[0]],
    security: [{ apiKey: operation.scope === null ? [] : [operation.scope] }],
    parameters,
    ...(takesBody(method)
      ? {
          requestBody: {
            required: required.length > 0,
            content: json({ type: 'object', properties: fields, ...(required.length > 0 ? { required } : {}) }),
          },
        }
      : {}),
    responses: {
      [status]: { description: 'Done', content: json(output) },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

type JsonSchema = { properties?: Record<string, object>; required?: string[] };

function schema(type: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return rest as JsonSchema;
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}
