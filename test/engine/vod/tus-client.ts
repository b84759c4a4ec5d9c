import { Readable } from 'node:stream';
import { type HttpRequest, Upload, type UploadOptions } from 'tus-js-client';

export type Sent = { url: string | null; error: Error | undefined };

/** Uploads bytes with tus-js-client; `cutAfter` aborts (the socket dies) once so many bytes were taken. */
export function tusUpload(
  bytes: Buffer,
  options: Partial<UploadOptions> & { endpoint: string },
  cutAfter?: number,
): Promise<Sent> {
  return new Promise((resolve) => {
    const upload: Upload = new Upload(bytes as never, {
      retryDelays: null as never,
      chunkSize: Number.POSITIVE_INFINITY,
      ...options,
      onSuccess: () => resolve({ url: upload.url, error: undefined }),
      onError: (error) => resolve({ url: upload.url, error }),
      onProgress(sent) {
        if (cutAfter !== undefined && sent >= cutAfter)
          void upload.abort().then(() => resolve({ url: upload.url, error: undefined }));
      },
    });
    upload.start();
  });
}

export type { HttpRequest };
export const emptyBody = () => Readable.from([]);
