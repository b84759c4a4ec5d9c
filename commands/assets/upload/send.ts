import type { Readable } from 'node:stream';
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client';
import { errorCodes, StreamsError } from '../../../src/core/errors.ts';
import { notOurs, redirectError } from '../../connection/refused-answer.ts';
import { passes, reasonOf, unreachable } from '../../connection/unreachable.ts';
import type { Connection } from '../../profile.ts';
import { FileOnDisk } from './file-on-disk.ts';
import { PipedSource } from './piped-source.ts';

export type SendOptions = {
  readonly connection: Connection;
  /** A file, or what is piped in. */
  readonly source: FileOnDisk | Readable;
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
 * Sends a file by tus 1.0, over lost connections and restarts of the server; answers its upload URL. It begins anew only where the server says that
 * there is no such upload. Throws INTERRUPTED when the signal aborts, CONFLICT when the file changes, and NO_MEDIA, before the server is asked,
 * where there is nothing to send.
 */
export async function send(options: SendOptions): Promise<string> {
  const { source, metadata, signal, uploadUrl } = options;
  const media = source instanceof FileOnDisk ? source : new PipedSource(source, () => source.destroy());
  try {
    if (await isEmpty(media, source, signal))
      throw new StreamsError('NO_MEDIA', `${metadata.filename} is empty: there is nothing to upload`, {
        hint:
          source instanceof FileOnDisk
            ? 'streams assets upload <a file with media>'
            : 'cat film.mp4 | streams assets upload -',
      });
    const first = await sendOnce(options, media, uploadUrl);
    if (first !== undefined) return first;
    const second = await sendOnce(options, media, undefined);
    if (second !== undefined) return second;
    throw new StreamsError('NOT_FOUND', 'the server has lost the upload twice', { hint: 'streams assets list' });
  } finally {
    if (source instanceof FileOnDisk) await source.end();
    else source.destroy();
  }
}

/** Returns undefined where the upload is gone (404, 410) and can be begun anew. */
function sendOnce(
  { connection, metadata, begun, progress, signal }: SendOptions,
  media: FileOnDisk | PipedSource,
  uploadUrl: string | undefined,
): Promise<string | undefined> {
  const { apiUrl, apiKey } = connection;
  const endpoint = `${apiUrl}/uploads`;
  const file = media instanceof FileOnDisk ? media : undefined;
  return new Promise((resolve, reject) => {
    const settings: UploadOptions = {
      // With an endpoint the client answers every HEAD that fails, a 503 too, by another upload.
      ...(uploadUrl === undefined ? { endpoint } : { uploadUrl }),
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      metadata,
      retryDelays,
      storeFingerprintForResuming: false,
      chunkSize: file === undefined ? pipedChunkBytes : Number.POSITIVE_INFINITY,
      ...(file === undefined ? { uploadLengthDeferred: true } : { uploadSize: file.size }),
      fileReader: { openFile: async () => media },
      onUploadUrlAvailable() {
        const { url } = upload;
        if (url === null) return;
        if (new URL(url).origin !== new URL(apiUrl).origin) return fail(strayLocation(url, apiUrl));
        upload.options.endpoint = null;
        begun(url);
      },
      onShouldRetry: mayPass,
      onProgress: progress,
      onSuccess: () => finish(() => resolve(upload.url!)),
      onError(error) {
        if (file !== undefined && isGone(error)) finish(() => resolve(undefined));
        else finish(() => reject(uploadError(error, apiUrl, upload.url !== null)));
      },
    };
    const upload: Upload = new Upload(media as never, settings);
    /** `cancel`: what lies on the server is of no use. */
    const fail = (error: StreamsError, cancel = false) => {
      void upload.abort(cancel).catch(() => undefined);
      finish(() => reject(error));
    };
    const abort = () => fail(new StreamsError('INTERRUPTED', 'interrupted'));
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', abort);
      // What is still being read ends with an error of its own.
      if (file !== undefined) file.onChange = () => undefined;
      settle();
    };
    // An asset that was made before stays, for the next try.
    if (file !== undefined) file.onChange = (error) => fail(error, metadata.asset === undefined);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    upload.start();
  });
}

/** There is nothing to send. Throws INTERRUPTED when the signal aborts while nobody writes into the pipe. */
async function isEmpty(
  media: FileOnDisk | PipedSource,
  source: FileOnDisk | Readable,
  signal: AbortSignal,
): Promise<boolean> {
  if (media instanceof FileOnDisk) return media.size === 0;
  const abort = () => (source as Readable).destroy(new StreamsError('INTERRUPTED', 'interrupted'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await media.isEmpty();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The key goes to the server that the user named, and to no other. */
function strayLocation(url: string, apiUrl: string): StreamsError {
  return new StreamsError('API_UNREACHABLE', `${apiUrl} sends the upload elsewhere, to ${new URL(url).origin}`, {
    hint: 'streams doctor',
  });
}

/** The server says that there is no such upload. */
function isGone(error: Error | DetailedError): boolean {
  if (!('originalRequest' in error) || error.originalRequest.getMethod() === 'POST') return false;
  const status = error.originalResponse?.getStatus();
  return status === 404 || status === 410;
}

/** A lost connection, a server that is away or busy, an offset that another request of ours has moved. */
function mayPass({ originalRequest, originalResponse, causingError }: DetailedError): boolean {
  if (originalResponse === null && !passes(causingError)) return false;
  const status = originalResponse?.getStatus() ?? 0;
  if (status === 409) return originalRequest.getMethod() !== 'POST';
  return status === 0 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/** What the server said of it, or that none is there. */
export function uploadError(error: Error | DetailedError, apiUrl: string, sentSome = true): StreamsError {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  if (response === null || response === undefined) {
    if (!('originalRequest' in error)) return new StreamsError('INTERNAL', error.message, { cause: error });
    const { message, hint } = unreachable(apiUrl, error.causingError);
    // Nothing has answered yet, or it has and went away.
    return sentSome
      ? new StreamsError(
          'API_UNREACHABLE',
          `the connection to ${apiUrl} was lost: ${reasonOf(apiUrl, error.causingError)}`,
          {
            cause: error,
            hint: 'the same command again: it goes on where it was',
          },
        )
      : new StreamsError('API_UNREACHABLE', message, { cause: error, ...(hint !== undefined && { hint }) });
  }
  const status = response.getStatus();
  if (status < 400) return notUploads(status, response.getHeader('Location'), apiUrl);
  const said = parse(response.getBody());
  const code = errorCodes.find((known) => known === said?.code);
  return new StreamsError(
    code ?? (status === 404 ? 'NOT_FOUND' : 'API_UNREACHABLE'),
    said?.message ?? `${apiUrl} answered ${status}`,
    {
      cause: error,
      ...(said?.hint !== undefined && { hint: said.hint }),
    },
  );
}

/** A redirect, or a success that is none. */
function notUploads(status: number, location: string | undefined, apiUrl: string): StreamsError {
  const redirect = status >= 300 ? redirectError(location, `${apiUrl}/uploads`, apiUrl) : undefined;
  return redirect ?? notOurs(apiUrl);
}

function parse(body: string): { code?: string; message?: string; hint?: string } | undefined {
  try {
    return (JSON.parse(body) as { error?: { code?: string; message?: string; hint?: string } }).error;
  } catch {
    return undefined;
  }
}
