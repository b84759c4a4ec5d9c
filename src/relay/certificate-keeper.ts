import { toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { type CertificateOptions, ensureCertificate, type RelayCertificate } from './certificate.ts';

const dayMs = 86_400_000;

/** Looks at the certificate every so often (once a day by default) and hands on a new one. Answers how to stop. */
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
    try {
      const next = await ensureCertificate(options);
      if (!stopped && next.sha256 !== inUse.sha256) {
        inUse = next;
        swap(next);
        logger.info('relay certificate renewed', { sha256: next.sha256 });
      }
    } catch (error) {
      logger.error('relay certificate cannot be renewed', { reason: toStreamsError(error).message });
    }
    if (!stopped) wait();
  };
  const wait = (): void => {
    timer = setTimeout(() => void look(), everyMs).unref();
  };
  wait();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
