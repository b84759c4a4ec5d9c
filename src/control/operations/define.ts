import type { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { requireOrg, requireScope } from '../auth/authenticate.ts';
import type { Caller, ControlContext, Scope } from '../context.ts';
import { writeAudit } from '../store/audit.ts';
import type { Db } from '../store/schema.ts';
import { once, requireIdempotencyKey } from './idempotency.ts';

/** What `run` works with. `db` is the transaction of a mutation that is audited, so use it and never `context.db`. */
export type Call = { context: ControlContext; db: Db; caller: Caller };
/** What `run` works with, and what `prepare` made. */
type PreparedCall<P> = Call & { prepared: P };

type Output = Record<string, unknown>;

/** POST and PATCH carry their fields in the body, the others in the query. */
export type RestMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export function takesBody(method: RestMethod): boolean {
  return method === 'POST' || method === 'PATCH';
}

/**
 * One thing the control plane can do, defined once and mounted three times: REST, tRPC wire form, in-process.
 * `name` is `noun.verb`. Whatever `run` answers is cut to `output`, so no column slips out by accident.
 */
export type Operation = {
  name: string;
  kind: 'query' | 'mutation';
  summary: string;
  /** null: any valid key. */
  scope: Scope | null;
  input: z.ZodObject;
  output: z.ZodObject;
  rest: {
    method: RestMethod;
    /** Under `/v1`; `{id}` is taken from the path. */
    path: string;
    /** Fields the REST form has beyond the tRPC wire form. */
    adds?: { output: z.ZodObject; from(call: Call, output: never): Output };
  };
  /** The id written to, for the audit log; a mutation without it writes nothing itself. */
  target?(input: never, output: never): string;
  /** Slow work before the transaction, which lets nobody else write: its `db` is the store as it is, and may have changed by then. */
  prepare?(call: Call, input: never): Promise<unknown>;
  run(call: PreparedCall<never>, input: never): Promise<Output>;
};

/** Answers 201 over REST. */
export function creates({ kind, rest }: Pick<Operation, 'kind' | 'rest'>): boolean {
  return kind === 'mutation' && rest.method === 'POST' && !rest.path.includes('{id}');
}

export function defineOperation<I extends z.ZodObject, O extends z.ZodObject, A extends z.ZodObject, P>(operation: {
  name: string;
  kind: 'query' | 'mutation';
  summary: string;
  scope: Scope | null;
  input: I;
  output: O;
  rest: {
    method: RestMethod;
    path: string;
    adds?: { output: A; from(call: Call, output: z.output<O>): z.input<A> };
  };
  target?(input: z.output<I>, output: z.output<O>): string;
  prepare?(call: Call, input: z.output<I>): Promise<P>;
  run(call: PreparedCall<P>, input: z.output<I>): Promise<z.input<O>>;
}): Operation {
  return operation as unknown as Operation;
}

export type InvokeOptions = {
  form: 'rest' | 'trpc';
  requestId: string;
  /** The same audited mutation with the same key is done once and answered alike for 24 h. */
  idempotencyKey?: string | undefined;
};

/**
 * Runs an operation for a caller. Throws FORBIDDEN (scope, org), INVALID_ARGUMENT (input), CONFLICT (idempotency key), and what the operation throws.
 * An audited mutation and its audit row are one transaction.
 */
export async function invoke(
  context: ControlContext,
  operation: Operation,
  caller: Caller,
  rawInput: unknown,
  options: InvokeOptions,
): Promise<Output> {
  if (operation.scope !== null) requireScope(caller, operation.scope);
  const input = parseInput(operation, rawInput);
  requireOrg(caller, (input as { orgId?: string }).orgId);
  const { target } = operation;
  const outside = { context, db: context.db, caller };
  const prepared = (await operation.prepare?.(outside, input)) as never;
  if (!target) return answer(operation, { ...outside, prepared }, input, options);
  return context.db.transaction().execute(async (db) => {
    const call = { context, db, caller, prepared };
    const write = async () => {
      const output = operation.output.parse(await operation.run(call, input));
      await writeAudit(db, {
        org_id: caller.orgId,
        at: context.now(),
        actor: caller.keyId,
        action: operation.name,
        target: target(input, output as never),
        request_id: options.requestId,
      });
      return output;
    };
    const { idempotencyKey, form } = options;
    if (idempotencyKey === undefined) return withAdded(operation, call, await write(), form);
    const key = requireIdempotencyKey(idempotencyKey);
    const request = { operation: operation.name, form, input };
    const keeper = { db, vault: context.vault, now: context.now() };
    // Addresses are made for every answer anew: they may go by the name that its request came by.
    const kept = await once(keeper, { orgId: caller.orgId, key, request }, write);
    return withAdded(operation, call, kept, form);
  });
}

async function answer(
  operation: Operation,
  call: PreparedCall<never>,
  input: never,
  options: InvokeOptions,
): Promise<Output> {
  return withAdded(operation, call, operation.output.parse(await operation.run(call, input)), options.form);
}

function withAdded(
  operation: Operation,
  call: PreparedCall<never>,
  output: Output,
  form: InvokeOptions['form'],
): Output {
  const { adds } = operation.rest;
  if (form !== 'rest' || !adds) return output;
  return { ...output, ...adds.output.parse(adds.from(call, output as never)) };
}

function parseInput(operation: Operation, raw: unknown): never {
  const parsed = operation.input.safeParse(raw ?? {});
  if (parsed.success) return parsed.data as never;
  // Paths and rules only: zod's messages do not repeat the value, which may be a key in the wrong field.
  const first = parsed.error.issues[0]!;
  const where = first.path.join('.');
  throw new StreamsError('INVALID_ARGUMENT', where === '' ? first.message : `${where}: ${first.message}`);
}
