import { startDeadline } from '../../src/core/deadline.ts';
import { type ErrorCode, errorCodes, StreamsError } from '../../src/core/errors.ts';
import type { Addresses } from '../addresses-note.ts';
import type { Connection } from '../profile.ts';
import { wrongShape } from './answer-shape.ts';
import { ask, jsonOf } from './ask.ts';
import { notOurs } from './refused-answer.ts';

export type Input = { id: string; name: string; ingest: string; status: string; createdAt: string } & Record<
  string,
  unknown
>;

/** What create and rotate answer: the key in clear is shown this once. */
export type InputWithKey = InputWithUrls & { stream_key_cleartext: string };

/** Where its encoder pushes to. */
export type InputWithUrls = Input & { urls?: Record<string, string>; addresses?: Addresses };

export type PlaybackAnswer = {
  token: string;
  kid: string;
  alg: string;
  expires_at: string;
  /** Absent while the control plane knows no relay. */
  url?: string;
  watchUrl: string;
  hlsUrl?: string;
  /** Of a certificate that the relay has made itself. */
  certificateSha256?: string;
  addresses?: Addresses;
};

/** What a token may be bound to. */
export type MintRules = {
  viewerId?: string;
  once?: true;
  renditions?: string[];
  origins?: string[];
  addresses?: string[];
};

/** The REST form of the control plane. Every call rejects with StreamsError: the server's code, or API_UNREACHABLE. */
export type ApiClient = {
  /** Any operation by its REST form; `path` begins with `/v1`. */
  request<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** All pages of a list. */
  list<T>(path: string): Promise<T[]>;
  createInput(fields: {
    name: string;
    ingest: string;
    externalId?: string | undefined;
    /** As parseLadder reads it. */
    ladder?: string | undefined;
    /** Keep each broadcast as an asset. */
    record?: boolean | undefined;
  }): Promise<InputWithKey>;
  listInputs(): Promise<Input[]>;
  getInput(id: string): Promise<InputWithUrls>;
  /** `force`: also while it is live. */
  deleteInput(id: string, force: boolean): Promise<void>;
  /** The old key still works for `overlapSeconds`. */
  rotateStreamKey(id: string, overlapSeconds: number): Promise<InputWithKey>;
  mintPlaybackToken(id: string, ttlSeconds: number, rules?: MintRules): Promise<PlaybackAnswer>;
};

const requestTimeoutMs = 30_000;

export function apiClient({ apiUrl, apiKey }: Connection, signal: AbortSignal): ApiClient {
  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const timeout = startDeadline(requestTimeoutMs, signal);
    let response: Response;
    let value: unknown;
    try {
      response = await ask(apiUrl, path, {
        method,
        headers: {
          accept: 'application/json',
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: timeout.signal,
      });
      value = await jsonOf(response, apiUrl, timeout.signal);
    } catch (cause) {
      if (signal.aborted) throw new StreamsError('INTERRUPTED', 'interrupted', { cause });
      if (timeout.signal.aborted)
        throw new StreamsError('TIMEOUT', `${apiUrl} did not answer within ${requestTimeoutMs / 1000} s`, {
          cause,
          hint: 'streams doctor',
        });
      throw cause;
    } finally {
      timeout.clear();
    }
    if (!response.ok) throw answeredError(response.status, value, apiUrl, apiKey);
    if (wrongShape(method, path, value) !== undefined) throw notOurs(apiUrl);
    return value as T;
  }
  async function list<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    let cursor: string | undefined;
    do {
      const joint = path.includes('?') ? '&' : '?';
      const query = cursor === undefined ? '' : `${joint}cursor=${encodeURIComponent(cursor)}`;
      const page = await request<{ items: T[]; nextCursor?: string | null }>('GET', `${path}${query}`);
      found.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return found;
  }
  const input = (id: string) => `/v1/live-inputs/${encodeURIComponent(id)}`;
  return {
    request,
    list,
    createInput: ({ name, ingest, externalId, ladder, record }) =>
      request('POST', '/v1/live-inputs', {
        name,
        ingest,
        ...(externalId === undefined ? {} : { external_input_id: externalId }),
        ...(ladder === undefined ? {} : { ladder }),
        ...(record === undefined ? {} : { record }),
      }),
    listInputs: () => list('/v1/live-inputs'),
    getInput: (id) => request('GET', input(id)),
    async deleteInput(id, force) {
      await request('DELETE', `${input(id)}${force ? '?force=true' : ''}`);
    },
    rotateStreamKey: (id, overlapSeconds) =>
      request('POST', `${input(id)}/rotate-stream-key`, overlapSeconds === 0 ? undefined : { overlapSeconds }),
    mintPlaybackToken: (id, ttlSeconds, rules) =>
      request('POST', `${id.startsWith('as_') ? `/v1/assets/${encodeURIComponent(id)}` : input(id)}/playback-tokens`, {
        ttlSeconds,
        ...rules,
      }),
  };
}

/** `{error:{code,message,hint}}` as it was meant; anything else by its status. */
function answeredError(status: number, value: unknown, apiUrl: string, apiKey: string | undefined): StreamsError {
  const error = (value as { error?: { code?: unknown; message?: unknown; hint?: unknown } } | undefined)?.error;
  const code = errorCodes.find((known) => known === error?.code) ?? codeOfStatus(status);
  const message = typeof error?.message === 'string' ? error.message : `${apiUrl} answered ${status}`;
  if (code === 'UNAUTHORIZED') {
    return apiKey === undefined
      ? new StreamsError(code, `no API key for ${apiUrl}`, {
          hint: 'set STREAMS_API_KEY, pass --api-key, or start a local stack with: streams serve',
        })
      : new StreamsError(code, `${apiUrl} does not know this API key`, {
          hint: 'check STREAMS_API_KEY, --api-key or --profile',
        });
  }
  return new StreamsError(code, message, typeof error?.hint === 'string' ? { hint: error.hint } : {});
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 400 || status === 422) return 'INVALID_ARGUMENT';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  if (status === 429) return 'RATE_LIMITED';
  return 'INTERNAL';
}
