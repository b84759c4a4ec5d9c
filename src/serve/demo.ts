import { StreamsError } from '../core/errors.ts';

export type DemoInput = { inputId: string; streamKey: string };

const externalId = 'demo';
const ttlSeconds = 86_400;

type Input = { id: string; external_input_id: string | null };

/** The input of the test picture with a fresh key: made at the first `--demo`, found again afterwards. */
export async function demoInput(httpUrl: string, apiKey: string): Promise<DemoInput> {
  const call = caller(httpUrl, apiKey);
  let found: Input | undefined;
  let cursor: string | null | undefined;
  do {
    const query: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const page = await call<{ items: Input[]; nextCursor: string | null }>('GET', `/v1/live-inputs?limit=100${query}`);
    found = page.items.find((input) => input.external_input_id === externalId);
    cursor = page.nextCursor;
  } while (found === undefined && cursor);
  const input = await (found === undefined
    ? call<{ id: string; stream_key_cleartext: string }>('POST', '/v1/live-inputs', {
        name: 'demo',
        ingest: 'rtmp',
        external_input_id: externalId,
      })
    : call<{ id: string; stream_key_cleartext: string }>('POST', `/v1/live-inputs/${found.id}/rotate-stream-key`));
  return { inputId: input.id, streamKey: input.stream_key_cleartext };
}

/** URLs at which the test picture can be watched, for a day. */
export async function demoPlayback(
  httpUrl: string,
  apiKey: string,
  inputId: string,
): Promise<{ url: string; watchUrl: string }> {
  const mint = caller(httpUrl, apiKey)<{ url: string; watchUrl: string }>;
  const { url, watchUrl } = await mint('POST', `/v1/live-inputs/${inputId}/playback-tokens`, { ttlSeconds });
  return { url, watchUrl };
}

function caller(httpUrl: string, apiKey: string) {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new StreamsError('INTERNAL', `setting up the demo: ${method} ${path} answered ${response.status}`);
    }
    return (await response.json()) as T;
  };
}
