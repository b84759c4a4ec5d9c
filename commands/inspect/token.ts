import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import type { CommandContext, CommandSpec, Run } from '../command.ts';
import { ask, jsonOf } from '../connection/ask.ts';
import { resolveConnection } from '../profile.ts';
import { readSource } from './source.ts';
import type { tokenSpec } from './specs.ts';
import { checkSignature } from './token/check-signature.ts';
import { type Check, checkClaims, kindOf, rightsOf } from './token/check-token.ts';
import { type ReadToken, readToken, tokenOf } from './token/read-token.ts';

const maxBytes = 1 << 20;
const serverTimeoutMs = 3000;
const timeClaims = ['iat', 'nbf', 'exp'];

/** `inspect token` and `playback verify` are one. */
type Spec = CommandSpec & Pick<typeof tokenSpec, 'args' | 'options'>;

export const run: Run<Spec> = async (context) => {
  const { args, options, output } = context;
  const given = args.token === '-' ? Buffer.from(await readSource('-', maxBytes, context)).toString() : args.token;
  const token = tokenOf(given);
  const read = readToken(token);
  const kind = kindOf(read);
  const { jwks, issuer, why } = await keysFor(context, options.jwks);
  const checks = [
    ...checkClaims(read, kind, Date.now(), issuer),
    ...(jwks === undefined
      ? [{ name: 'signature', status: 'unknown', message: why } as const]
      : await checkSignature(token, read, jwks)),
  ];
  const rights = rightsOf(read, kind);
  const failed = checks.filter(({ status }) => status === 'fail');
  const valid = failed.length > 0 ? false : checks.some(({ status }) => status === 'unknown') ? null : true;
  const { header, payload } = read;
  const marks = { ok: '✔', fail: '✖', unknown: '?' };
  await output.result({
    json: { type: 'token', kind, header, payload, allows: rights, valid, checks },
    blocks: [
      { kind: 'fields', rows: claimRows(read) },
      { kind: 'text', text: '' },
      {
        kind: 'fields',
        rows:
          rights.length === 0
            ? [['Allows', 'nothing']]
            : rights.map((line, index) => [index === 0 ? 'Allows' : '', line]),
      },
      { kind: 'text', text: '' },
      { kind: 'fields', rows: checks.map(({ name, status, message }) => [`${marks[status]} ${name}`, message]) },
    ],
  });
  if (failed.length > 0) throw refusal(failed);
};

function refusal(failed: readonly Check[]): StreamsError {
  const expired = failed.every(({ name }) => name === 'expiry') && /^expired/.test(failed[0]!.message);
  return new StreamsError(
    expired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID',
    `the token is refused: ${failed.map(({ name, message }) => `${name}: ${message}`).join('; ')}`,
    { hint: 'streams playback mint <lv_…> makes a new one' },
  );
}

/** The set that was named, else that of the server of the profile; without either the signature stays unchecked. */
async function keysFor(
  { global, env, signal, stdin }: CommandContext<Spec>,
  source: string | undefined,
): Promise<{ jwks?: string; issuer?: string; why: string }> {
  if (source !== undefined) {
    return { jwks: Buffer.from(await readSource(source, maxBytes, { signal, stdin })).toString(), why: '' };
  }
  const connection = await resolveConnection(global, env);
  const { apiUrl } = connection;
  const soon = AbortSignal.any([signal, AbortSignal.timeout(serverTimeoutMs)]);
  try {
    const jwks = Buffer.from(
      await readSource(`${apiUrl}/.well-known/jwks.json`, maxBytes, { signal: soon, stdin }),
    ).toString();
    const issuer = await issuerOf(connection, soon);
    return { jwks, ...(issuer === undefined ? {} : { issuer }), why: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { why: `not checked: no keys from ${apiUrl} (${toStreamsError(error).code}); give them with --jwks` };
  }
}

/** Only who has a key may ask for it. */
async function issuerOf(
  { apiUrl, apiKey }: { apiUrl: string; apiKey: string | undefined },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (apiKey === undefined) return undefined;
  const response = await ask(apiUrl, '/v1/status', { headers: { authorization: `Bearer ${apiKey}` }, signal });
  const { issuer } = ((await jsonOf(response, apiUrl, signal)) ?? {}) as { issuer?: unknown };
  return typeof issuer === 'string' ? issuer : undefined;
}

function claimRows({ header, payload }: ReadToken): [string, string][] {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return [
    ...Object.entries(header).map(([name, value]) => [name, text(value)] as [string, string]),
    ...Object.entries(payload).map(
      ([name, value]) =>
        [
          name,
          timeClaims.includes(name) && typeof value === 'number' ? `${value} (${timeText(value)})` : text(value),
        ] as [string, string],
    ),
  ];
}

function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}
