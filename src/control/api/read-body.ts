import { StreamsError } from '../../core/errors.ts';
import { HttpError } from '../../core/http-status.ts';

export const maxBodyBytes = 1024 * 1024;

/** The JSON body; undefined when it is empty. Throws as `readText` does, and MALFORMED when it is not JSON. */
export async function readJson(request: Request, maxBytes = maxBodyBytes): Promise<unknown> {
  const text = await readText(request, maxBytes);
  return text === '' ? undefined : parseJson(text, 'the body');
}

/** The body as UTF-8. Throws LIMIT_EXCEEDED over `maxBytes` (1 MiB), without reading further, and TIMEOUT when the client stops sending. */
export async function readText(request: Request, maxBytes = maxBodyBytes): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (!request.body) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new HttpError(408, 'TIMEOUT', 'the body did not arrive whole', { cause });
  }
  if (length > maxBytes) throw tooLarge(maxBytes);
  return Buffer.concat(chunks).toString('utf8');
}

/** Throws MALFORMED; the text is not repeated. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StreamsError('MALFORMED', `${what} is not JSON`);
  }
}

function tooLarge(maxBytes: number): StreamsError {
  return new StreamsError('LIMIT_EXCEEDED', `the body is larger than ${Math.round(maxBytes / 1024 / 1024)} MiB`);
}
