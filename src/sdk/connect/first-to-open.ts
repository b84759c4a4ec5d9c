import { childController, delay } from '../../core/delay.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { Transport } from '../../transport/transport.ts';

type Open = (signal: AbortSignal) => Promise<Transport>;

/** How much sooner QUIC may start than WebSocket: where it works it is there by then, at 300 ms round trip too. */
export const headStartMs = 1000;
/** What says that nothing came through, rather than what the relay said. */
const silent = ['RELAY_UNREACHABLE', 'TIMEOUT', 'UNSUPPORTED', 'INTERRUPTED', 'QUIC_UNAVAILABLE'];

/**
 * Whichever opens first; `fallback` starts when `preferred` has failed or `headStartMs` are over. The other one is aborted,
 * and closed if it opens all the same. When both fail, rejects with what `preferred` said, unless that was
 * UNSUPPORTED, or nothing came through there while the relay answered `fallback`.
 */
export async function firstToOpen(
  preferred: Open,
  fallback: Open,
  headStartMs: number,
  signal: AbortSignal,
): Promise<Transport> {
  const { controller, release } = childController(signal);
  const { controller: headStart } = childController(controller.signal);
  let winner: Transport | undefined;
  const enter = async (open: Open): Promise<Transport> => {
    if (controller.signal.aborted) throw new StreamsError('INTERRUPTED', 'connecting was cancelled');
    const transport = await open(controller.signal);
    if (winner !== undefined) transport.close({ code: 0, reason: '' });
    else winner = transport;
    return winner;
  };
  const first = enter(preferred);
  first.catch(() => headStart.abort());
  const second = delay(headStartMs, headStart.signal).then(() => enter(fallback));
  try {
    return await Promise.any([first, second]);
  } catch (cause) {
    const [why, whyNot] = (cause as AggregateError).errors;
    const { code } = toStreamsError(why);
    const answered = silent.includes(code) && !silent.includes(toStreamsError(whyNot).code);
    throw code === 'UNSUPPORTED' || answered ? whyNot : why;
  } finally {
    controller.abort();
    release();
  }
}
