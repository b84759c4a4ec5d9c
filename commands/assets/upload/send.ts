import type { Readable } from 'node:stream';
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client';
import { errorCodes, StreamsError } from '../../../src/core/errors.ts';
import type { Connection } from '../../profile.ts';
import { PipedSource } from './piped-source.ts';

export type SendOptions = {
  readonly connection: Connection;
  /** A file's read stream, or what is piped in. */
  readonly source: Readable;
  /** undefined: nobody knows before the end. */
  readonly size: number | undefined;
  readonly metadata: Record<string, string>;
  /** Of an upload that was begun before. */
  readonly uploadUrl: string | undefined;
  /** It can be taken up again from here. */
  begun(url: string): void;
  progress(sent: number): void;
  readonly signal: AbortSignal;
};

/** Held in memory where the source cannot be read again. */
const pipedChunkBytes = 8 << 20;
const retryDelays = [0, 500, 1000, 3000, 5000, 10_000];

/**
 * Sends a file by tus 1.0, over lost connections and restarts of the server; answers its upload URL. Throws INTERRUPTED when the signal aborts, and
 * NO_MEDIA, before the server is asked, where there is nothing to send.
 */
export async function send(options: SendOptions): Promise<string> {
  const { connection, source, size, metadata, uploadUrl, begun, progress, signal } = options;
  const { apiUrl, apiKey } = connection;
  const piped = size === undefined ? new PipedSource(source, () => source.destroy()) : undefined;
  if (size === 0 || (await isEmpty(piped, source, signal)))
    throw new StreamsError('NO_MEDIA', `${metadata.filename} is empty: there is nothing to upload`, {
      hint:
        piped === undefined ? 'streams assets upload <a file with media>' : 'cat film.mp4 | streams assets upload -',
    });
  return new Promise((resolve, reject) => {
    const settings: UploadOptions = {
      endpoint: `${apiUrl}/uploads`,
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      metadata,
      retryDelays,
      storeFingerprintForResuming: false,
      chunkSize: size === undefined ? pipedChunkBytes : Number.POSITIVE_INFINITY,
      ...(uploadUrl !== undefined && { uploadUrl }),
      ...(piped === undefined
        ? { uploadSize: size! }
        : { uploadLengthDeferred: true, fileReader: { openFile: async () => piped } }),
      onUploadUrlAvailable: () => upload.url !== null && begun(upload.url),
      onShouldRetry: mayPass,
      onProgress: progress,
      onSuccess: () => finish(() => resolve(upload.url!)),
      onError: (error) => finish(() => reject(uploadError(error, apiUrl))),
    };
    const upload: Upload = new Upload(source as never, settings);
    const abort = () => {
      void upload.abort().catch(() => undefined);
      finish(() => reject(new StreamsError('INTERRUPTED', 'interrupted')));
    };
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', abort);
      source.destroy();
      settle();
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    upload.start();
  });
}

/** What is piped in ends before its first byte. Throws INTERRUPTED when the signal aborts while nobody writes. */
async function isEmpty(piped: PipedSource | undefined, source: Readable, signal: AbortSignal): Promise<boolean> {
  if (piped === undefined) return false;
  const abort = () => source.destroy(new StreamsError('INTERRUPTED', 'interrupted'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await piped.isEmpty();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A lost connection, a server that is away or busy, an offset that another request of ours has moved. */
function mayPass({ originalRequest, originalResponse }: DetailedError): boolean {
  const status = originalResponse?.getStatus() ?? 0;
  if (status === 409) return originalRequest.getMethod() !== 'POST';
  return status === 0 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/** What the server said of it, or that none is there. */
export function uploadError(error: Error | DetailedError, apiUrl: string): StreamsError {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  if (response === null || response === undefined) {
    if (!('originalRequest' in error)) return new StreamsError('INTERNAL', error.message, { cause: error });
    return new StreamsError('API_UNREACHABLE', `the connection to ${apiUrl} was lost`, {
      cause: error,
      hint: 'the same command again: it goes on where it was',
    });
  }
  const said = parse(response.getBody());
  const code = errorCodes.find((known) => known === said?.code);
  const status = response.getStatus();
  return new StreamsError(
    code ?? (status === 404 ? 'NOT_FOUND' : 'API_UNREACHABLE'),
    said?.message ?? `${apiUrl} answered ${status}`,
    {
      cause: error,
      ...(said?.hint !== undefined && { hint: said.hint }),
    },
  );
}

function parse(body: string): { code?: string; message?: string; hint?: string } | undefined {
  try {
    return (JSON.parse(body) as { error?: { code?: string; message?: string; hint?: string } }).error;
  } catch {
    return undefined;
  }
}
