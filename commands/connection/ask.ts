import { StreamsError } from '../../src/core/errors.ts';
import { redirectError } from './refused-answer.ts';
import { unreachable } from './unreachable.ts';

type Init = { method?: string; headers?: Record<string, string>; body?: string; signal: AbortSignal };

const maxRedirects = 3;

/**
 * One request to a control plane. Follows a redirect only of a GET and only on the same origin. Throws API_UNREACHABLE with the cause and the remedy;
 * INTERRUPTED and TIMEOUT are for the caller, who owns the signal: an aborted request rejects as fetch does.
 */
export async function ask(apiUrl: string, path: string, init: Init): Promise<Response> {
  let url = `${apiUrl}${path}`;
  for (let left = maxRedirects; ; left--) {
    const response = await fetch(url, { ...init, redirect: 'manual' }).catch((cause: unknown) => {
      if (init.signal.aborted) throw cause;
      throw unreachable(apiUrl, cause);
    });
    const { status, headers } = response;
    if (status < 300 || status > 399 || status === 304) return response;
    await response.body?.cancel();
    const location = headers.get('location');
    const target = location !== null && URL.canParse(location, url) ? new URL(location, url) : undefined;
    const may = (init.method ?? 'GET') === 'GET' && target?.origin === new URL(url).origin;
    if (!may || left === 0) throw redirectError(location, url, apiUrl);
    url = target.href;
  }
}

/** The body as JSON; undefined where it is none. Throws API_UNREACHABLE where the connection ends in the middle. */
export async function jsonOf(response: Response, apiUrl: string, signal: AbortSignal): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw new StreamsError('API_UNREACHABLE', `the connection to ${apiUrl} was lost in the middle of the answer`, {
      cause,
      hint: 'the same command again',
    });
  });
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
