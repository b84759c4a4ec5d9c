import type { IncomingMessage } from 'node:http';
import { StreamsError } from '../../../core/errors.ts';
import { diskError, type MediaStore } from '../media-store.ts';

/** So much waits for the disk before the client has to. */
const maxWaitingBytes = 8 << 20;

/**
 * Writes a request body to a file from `offset` on; memory holds a few chunks of it. `limit`: bytes the file may have. Returns its
 * size and whether the body came whole: what came of a cut one is kept. Throws LIMIT_EXCEEDED (too large) and DISK_FULL.
 */
export async function receiveBody(
  incoming: IncomingMessage,
  store: MediaStore,
  target: { assetId: string; file: string; offset: number; limit: number },
  /** So many bytes are in the file. */
  progress: (written: number) => void = () => undefined,
): Promise<{ size: number; whole: boolean }> {
  const { assetId, file, offset, limit } = target;
  const out = await store.openWrite(assetId, file);
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  /** Of the file, with all that was taken. */
  let size = offset;
  let written = offset;
  let failed: unknown;
  let writing: Promise<void> | undefined;
  const write = async () => {
    // One call for all that came while the one before was at it.
    while (waiting.length > 0 && failed === undefined) {
      const chunks = waiting;
      const bytes = waitingBytes;
      waiting = [];
      waitingBytes = 0;
      incoming.resume();
      try {
        await out.writeAll(chunks, written);
        written += bytes;
        progress(written);
      } catch (error) {
        failed = diskError(error);
      }
    }
    writing = undefined;
  };
  const whole = await new Promise<boolean>((resolve) => {
    const stop = (came: boolean) => {
      incoming.off('data', take);
      resolve(came);
    };
    const take = (chunk: Buffer) => {
      if (size + chunk.length > limit)
        failed ??= new StreamsError('LIMIT_EXCEEDED', `the upload is larger than ${limit} bytes`);
      if (failed !== undefined) return stop(false);
      size += chunk.length;
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes > maxWaitingBytes) incoming.pause();
      writing ??= write();
    };
    incoming.on('data', take);
    incoming.once('end', () => stop(incoming.complete));
    // The client has gone, or another request of it took over.
    incoming.once('close', () => stop(incoming.complete));
    if (incoming.destroyed) stop(false);
  });
  while (writing !== undefined) await writing;
  try {
    // Bytes that are acknowledged last over a power cut.
    if (written > offset) await out.sync();
  } catch (error) {
    failed ??= diskError(error);
  } finally {
    await out.close();
  }
  if (failed !== undefined) throw failed;
  return { size: written, whole };
}
