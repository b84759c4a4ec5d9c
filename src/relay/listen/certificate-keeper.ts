import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type CertificateOptions, ensureCertificate, type RelayCertificate } from './certificate.ts';

const dayMs = 86_400_000;
/** After a failure: the certificate in use may be near its end. */
const againMs = 60_000;

/** Looks at the certificate every so often (once a day by default) and hands on a new one. Returns how to stop. */
export function keepCertificate(
  options: CertificateOptions,
  current: RelayCertificate,
  swap: (next: RelayCertificate) => void,
  logger: Logger,
  everyMs = dayMs,
): () => void {
  let inUse = current;
  let stopped = false;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    let waitMs = everyMs;
    try {
      const next = await ensureCertificate(options);
      if (!stopped && next.sha256 !== inUse.sha256) {
        swap(next);
        // Only now: a swap that failed is tried again at the next look.
        inUse = next;
        logger.info('relay certificate renewed', { sha256: next.sha256 });
      }
    } catch (error) {
      waitMs = Math.min(everyMs, againMs);
      logger.error('relay certificate cannot be renewed', { reason: toStreamsError(error).message });
    }
    if (!stopped) wait(waitMs);
  };
  const wait = (ms: number): void => {
    timer = setTimeout(() => void look(), ms).unref();
  };
  wait(everyMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
