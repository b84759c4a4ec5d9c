import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { StreamsError } from '../../../core/errors.ts';
import { diskError, type MediaStore } from '../media-store.ts';

/**
 * Writes a request body to a file from `offset` on; memory holds a few chunks of it. `limit`: bytes the file may have. Answers its
 * size and whether the body came whole: what came of a cut one is kept. Throws LIMIT_EXCEEDED (too large, disk full).
 */
export async function receiveBody(
  incoming: IncomingMessage,
  store: MediaStore,
  target: { assetId: string; file: string; offset: number; limit: number },
): Promise<{ size: number; whole: boolean }> {
  const { assetId, file, limit } = target;
  let size = target.offset;
  const out = await store.write(assetId, file, size);
  let failed: unknown;
  out.on('error', (error) => {
    failed = error;
  });
  let whole = false;
  let refused: StreamsError | undefined;
  try {
    // The socket stays open for the answer, also where the body is refused.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (failed !== undefined) break;
      if (size + chunk.length > limit) {
        refused = new StreamsError('LIMIT_EXCEEDED', `the upload is larger than ${limit} bytes`);
        break;
      }
      size += chunk.length;
      if (!out.write(chunk)) await once(out, 'drain');
    }
    whole = incoming.complete && refused === undefined && failed === undefined;
  } catch {
    // The client has gone, or another request of it took over; a failed write is told below.
  }
  if (failed === undefined) {
    const closed = once(out, 'close');
    out.end();
    await closed.catch(() => undefined);
  }
  if (failed !== undefined) throw diskError(failed);
  if (refused !== undefined) throw refused;
  return { size, whole };
}
