import { http3Code } from '../../codec/http3/code-points.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Http3Connection } from './http3-connection.ts';

/**
 * `work`, unless the connection ends first or the deadline passes, which closes it. Throws TIMEOUT, TRANSPORT_CLOSED, or
 * the Http3Error the peer caused.
 */
export async function beforeDeadline<T>(connection: Http3Connection, timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StreamsError('TIMEOUT', `no WebTransport session after ${timeoutMs} ms`));
      connection.base.close({ code: http3Code.requestCancelled, reason: 'handshake timeout' });
    }, timeoutMs);
  });
  const failed = connection.failed.then((error): never => {
    throw error;
  });
  const closed = connection.base.closed.then(({ reason }): never => {
    throw new StreamsError('TRANSPORT_CLOSED', `the connection was closed during the handshake: ${reason}`);
  });
  // They go on after the race is decided.
  for (const promise of [late, failed, closed]) promise.catch(() => {});
  try {
    return await Promise.race([failed, work, closed, late]);
  } finally {
    clearTimeout(timer);
  }
}
