import { http3Code } from '../../codec/http3/code-points.ts';
import type { Transport } from '../transport.ts';

const lingerMs = 1000;

/** Runs `work` after `ms`, at once when that is not above 0, never when the connection ends first. */
export function afterPause(base: Transport, ms: number, work: () => void): void {
  if (ms <= 0) {
    work();
    return;
  }
  const timer = setTimeout(work, ms);
  void base.closed.then(() => clearTimeout(timer));
}

/** Leaves the peer a second to read the last bytes and to close the connection itself. */
export function closeSoon(base: Transport): void {
  const timer = setTimeout(() => base.close({ code: http3Code.noError, reason: '' }), lingerMs);
  void base.closed.then(() => clearTimeout(timer));
}
