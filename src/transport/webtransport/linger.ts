import { http3Code } from '../../codec/http3/code-points.ts';
import type { Transport } from '../transport.ts';

const lingerMs = 1000;

/** Leaves the peer a second to read the last bytes and to close the connection itself. */
export function closeSoon(base: Transport): void {
  const timer = setTimeout(() => base.close({ code: http3Code.noError, reason: '' }), lingerMs);
  void base.closed.then(() => clearTimeout(timer));
}
