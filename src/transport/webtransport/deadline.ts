import { http3Code } from '../../codec/http3/code-points.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Http3Connection } from './http3-connection.ts';

/**
 * `work`, unless the connection ends first or the deadline passes, which closes it. Throws TIMEOUT, TRANSPORT_CLOSED, or
 * the Http3Error the peer caused.
 */
export function beforeDeadline<T>(connection: Http3Connection, timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new StreamsError('TIMEOUT', `no WebTransport session after ${timeoutMs} ms`));
      connection.base.close({ code: http3Code.requestCancelled, reason: 'handshake timeout' });
    }, timeoutMs);
    const over = (): void => clearTimeout(timer);
    work.then(resolve, reject).then(over, over);
    void connection.failed.then(reject);
    void connection.base.closed.then(({ reason }) => {
      over();
      reject(new StreamsError('TRANSPORT_CLOSED', `the connection was closed during the handshake: ${reason}`));
    });
  });
}
