import { withDeadline } from '../core/deadline.ts';
import { errorCodes, StreamsError } from '../core/errors.ts';

export type PublishRequest = {
  kind: 'publish';
  inputId: string;
  /** Absent where the relay has checked it: a MoQT publisher shows it there. */
  streamKey?: string;
  /** In place of the key, base64: the session keys of an SRT caller, under a passphrase. */
  srtKeys?: { salt: string; keyBytes: number; wrapped: string };
  ingest: 'rtmp' | 'srt' | 'whip' | 'fmp4' | 'moqt';
  remoteAddress: string;
};

/** What a stream key opens. */
export type PublishGrant = {
  orgId: string;
  inputId: string;
  namespace: string[];
  /** The broadcast is to be kept as an asset. */
  record?: boolean;
  /** Renditions, as `parseLadder` reads them; absent: none. */
  ladder?: string;
  /** What opens `srtKeys` of the request. */
  srtPassphrase?: string;
};

/**
 * An input that is live, with what there is to say about its ingest. `took`: a publisher came here since the control plane heard of it
 * last, so the input is this engine's, whichever had it before.
 */
export type LiveInput = {
  inputId: string;
  stats?: Record<string, string | number | boolean | null>;
  took?: true;
};

/** An input that went off air for what its encoder sent. */
export type ErroredInput = { inputId: string; reason: string };

/** Rejects with the StreamsError of the refusal (UNAUTHORIZED, NOT_FOUND, …) or API_UNREACHABLE. */
export type Authorise = (request: PublishRequest) => Promise<PublishGrant>;

const timeoutMs = 5000;

/** The engine's questions to the control plane, over HTTP with the service token. */
export class ControlClient {
  readonly #url: string;
  readonly #token: string;

  constructor(controlUrl: string, serviceToken: string) {
    this.#url = controlUrl.replace(/\/+$/, '');
    this.#token = serviceToken;
  }

  readonly authorise: Authorise = async (request) => {
    const answer = await this.post('/internal/authorize', request);
    const { orgId, inputId, namespace, record, ladder, srtPassphrase } = answer as Partial<PublishGrant>;
    const whole =
      Array.isArray(namespace) && namespace.length > 0 && namespace.every((part) => typeof part === 'string');
    if (typeof orgId !== 'string' || typeof inputId !== 'string' || !whole)
      throw new StreamsError('API_UNREACHABLE', 'the control plane gave an answer that is none');
    return {
      orgId,
      inputId,
      namespace,
      ...(record === true && { record }),
      ...(typeof ladder === 'string' && { ladder }),
      ...(typeof srtPassphrase === 'string' && { srtPassphrase }),
    };
  };

  /** Makes an input this engine's before it goes on air here. Rejects with CONFLICT while another engine holds it. */
  async claim(engineId: string, inputId: string): Promise<void> {
    await this.post('/internal/engine/claim', { engineId, inputId });
  }

  /**
   * Inputs that are live here now; silence for some seconds makes them idle. Answers those that must not be, those that another engine
   * has, and those that are to be recorded.
   */
  async heartbeat(
    engineId: string,
    { live, errored }: { live: readonly LiveInput[]; errored: readonly ErroredInput[] },
    signal?: AbortSignal,
  ): Promise<{ stop: string[]; moved: string[]; record: string[] }> {
    const answer = await this.post('/internal/engine/heartbeat', { engineId, live, errored }, signal);
    const { stop, moved, record } = answer as { stop?: unknown; moved?: unknown; record?: unknown };
    const texts = (list: unknown) => (Array.isArray(list) ? list.filter((id) => typeof id === 'string') : []);
    return { stop: texts(stop), moved: texts(moved), record: texts(record) };
  }

  /** Any of its `/internal/…` questions. Rejects with the refusal, or API_UNREACHABLE. */
  async post(path: string, body: unknown, signal?: AbortSignal): Promise<object> {
    const { ok, status, answer } = await withDeadline(timeoutMs, signal, async (soon) => {
      const response = await fetch(this.#url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: soon,
      });
      return { ok: response.ok, status: response.status, answer: (await response.json()) as unknown };
    }).catch((cause: unknown) => {
      throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer', { cause });
    });
    const whole = typeof answer === 'object' && answer !== null ? answer : {};
    if (ok) return whole;
    if (status >= 500) throw new StreamsError('API_UNREACHABLE', `the control plane answered ${status}`);
    throw refusal(whole);
  }
}

function refusal(answer: object): StreamsError {
  const { error } = answer as { error?: { code?: unknown; message?: unknown; hint?: unknown } };
  const code = errorCodes.find((known) => known === error?.code) ?? 'UNAUTHORIZED';
  const message = typeof error?.message === 'string' ? error.message : 'the control plane refused';
  return new StreamsError(code, message, typeof error?.hint === 'string' ? { hint: error.hint } : {});
}
