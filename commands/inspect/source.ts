import { open } from 'node:fs/promises';
import { withDeadline } from '../../src/core/deadline.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { redactUrl } from '../../src/core/log.ts';
import { reasonOf } from '../connection/unreachable.ts';

const timeoutMs = 30_000;

/**
 * The whole of a file, of an http(s) URL, or of stdin for `-`. Throws NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED, and
 * API_UNREACHABLE for a URL that does not answer.
 */
export async function readSource(
  source: string,
  maxBytes: number,
  { signal, stdin }: { signal: AbortSignal; stdin: AsyncIterable<Uint8Array> },
): Promise<Uint8Array> {
  if (/^https?:\/\//.test(source)) return fetched(source, maxBytes, signal);
  if (source === '-') return collect(stdin, 'stdin', maxBytes);
  try {
    const file = await open(source);
    try {
      const stat = await file.stat();
      if (stat.isDirectory()) throw new StreamsError('INVALID_ARGUMENT', `${source} is a directory`);
      if (stat.size > maxBytes) throw tooLarge(source, maxBytes);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new StreamsError(missing ? 'NOT_FOUND' : 'INVALID_ARGUMENT', `cannot read ${source}`, {
      cause,
      hint: 'the path of a file, or its http(s) URL',
    });
  }
}

async function fetched(url: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const shown = redactUrl(url);
  try {
    return await withDeadline(timeoutMs, signal, async (soon) => {
      const response = await fetch(url, { signal: soon });
      if (response.ok && response.body !== null) return collect(response.body, shown, maxBytes);
      const code =
        response.status === 404
          ? 'NOT_FOUND'
          : response.status === 401 || response.status === 403
            ? 'UNAUTHORIZED'
            : 'INVALID_ARGUMENT';
      throw new StreamsError(code, `${shown} answered ${response.status}`);
    });
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    if (signal.aborted) throw new StreamsError('INTERRUPTED', 'interrupted', { cause });
    throw new StreamsError('API_UNREACHABLE', `cannot fetch ${shown}: ${reasonOf(url, cause)}`, {
      cause,
      hint: `curl -I '${shown}'`,
    });
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>, name: string, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(name, maxBytes);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function tooLarge(name: string, maxBytes: number): StreamsError {
  return new StreamsError('LIMIT_EXCEEDED', `${name} is larger than ${Math.round(maxBytes / (1 << 20))} MiB`);
}
