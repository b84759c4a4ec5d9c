import { withDeadline } from '../core/deadline.ts';
import { errorCodes, StreamsError } from '../core/errors.ts';
import { type AnswerOf, type EndpointName, endpoints, type RequestOf } from './endpoints.ts';

export type ControlClientOptions = {
  readonly controlUrl: string;
  readonly serviceToken: string;
  /** Default: the global fetch. */
  readonly fetch?: typeof fetch;
};

export type AskOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Default 5000. */
  readonly timeoutMs?: number;
  /** What `:id` of the path is. */
  readonly id?: string;
};

/** The client of control's internal API: what relay and engine ask goes through here, with the service token. */
export class ControlClient {
  readonly #options: ControlClientOptions;

  constructor(options: ControlClientOptions) {
    this.#options = options;
  }

  /**
   * Returns control's answer. Rejects with the StreamsError of its refusal (UNAUTHORIZED, CONFLICT, …), with API_UNREACHABLE
   * when there is no answer, what is answered is not control's, control has a fault, or it does not know the service token; and
   * with LIMIT_EXCEEDED when a proxy on the way finds the request too large.
   */
  async ask<Name extends EndpointName>(
    name: Name,
    body: RequestOf<Name>,
    { signal, timeoutMs = 5000, id }: AskOptions = {},
  ): Promise<AnswerOf<Name>> {
    const { method, path } = endpoints[name];
    const url = new URL(
      id === undefined ? path : path.replace(':id', encodeURIComponent(id)),
      this.#options.controlUrl,
    );
    const init: RequestInit = { method, redirect: 'error', headers: this.#headers(method) };
    if (method === 'POST') init.body = JSON.stringify(body);
    else
      for (const [key, value] of Object.entries(body))
        if (value !== undefined) url.searchParams.set(key, String(value));
    const { ok, status, answer } = await withDeadline(timeoutMs, signal, async (soon) => {
      const response = await (this.#options.fetch ?? fetch)(url, { ...init, signal: soon });
      return { ok: response.ok, status: response.status, answer: jsonOf(await response.text()) };
    }).catch((cause: unknown) => {
      throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer', { cause });
    });
    if (status === 413) throw new StreamsError('LIMIT_EXCEEDED', 'the request is too large for the control plane');
    if (typeof answer !== 'object' || answer === null)
      throw new StreamsError('API_UNREACHABLE', 'what answers is not a streams control plane');
    if (ok) return answer as AnswerOf<Name>;
    throw refusal(status, answer);
  }

  #headers(method: string): Record<string, string> {
    const authorization = `Bearer ${this.#options.serviceToken}`;
    return method === 'POST' ? { authorization, 'content-type': 'application/json' } : { authorization };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A fault of control, and an answer that is not in its form, say nothing about the request. */
function refusal(status: number, answer: object): StreamsError {
  const { error } = answer as { error?: { code?: unknown; message?: unknown; hint?: unknown } };
  const code = errorCodes.find((known) => known === error?.code);
  if (status >= 500 || code === undefined)
    return new StreamsError('API_UNREACHABLE', `the control plane answered ${status}`);
  const message = typeof error?.message === 'string' ? error.message.slice(0, 300) : 'the control plane refused';
  return new StreamsError(code, message, typeof error?.hint === 'string' ? { hint: error.hint } : {});
}
