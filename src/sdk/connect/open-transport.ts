import { childController } from '../../core/delay.ts';
import { StreamsError } from '../../core/errors.ts';
import { redactUrl } from '../../core/log.ts';
import { unreachableHint } from '../../transport/relay-url.ts';
import type { Transport } from '../../transport/transport.ts';
import type { ConnectTransport } from '../viewer/viewer-types.ts';

/**
 * `connect` with a deadline and a way out, even where it heeds neither: a transport that comes too late is closed. Rejects
 * with what `connect` says, RELAY_UNREACHABLE after `timeoutMs`, INTERRUPTED when `signal` aborts.
 */
export async function openTransport(
  connect: ConnectTransport,
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Transport> {
  const { controller, release } = childController(signal);
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  let gaveUp = false;
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => {
      gaveUp = true;
      const error = signal.aborted
        ? new StreamsError('INTERRUPTED', 'connecting was cancelled')
        : new StreamsError('RELAY_UNREACHABLE', `no answer from the relay at ${redactUrl(url)} in ${timeoutMs} ms`, {
            hint: unreachableHint(url),
          });
      reject(error);
    };
    if (controller.signal.aborted) giveUp();
    else controller.signal.addEventListener('abort', giveUp, { once: true });
  });
  aborted.catch(() => {});
  const opening = connect(url, { signal: controller.signal });
  opening.then(
    (transport) => {
      if (gaveUp) transport.close({ code: 0, reason: '' });
    },
    () => {},
  );
  try {
    return await Promise.race([opening, aborted]);
  } finally {
    clearTimeout(timer);
    release();
  }
}
