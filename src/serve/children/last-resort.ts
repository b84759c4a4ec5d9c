import { faultFields } from '../../core/fault.ts';
import { LimitedWarnings } from '../../core/limited-warnings.ts';
import type { Logger } from '../../core/log.ts';

/**
 * Catches what nobody in this process has caught. Such an error belongs to one session, one request or one timer: all the others are
 * served on, so that nobody can end a process by provoking one. It is logged with its stack, and `caught` is called. An error of
 * the catching itself, as when nobody reads the log any more, ends the process with exit code 1. Returns what ends it.
 */
export function catchTheRest(logger: Logger, caught: (error: unknown) => void = () => {}): () => void {
  const faults = new LimitedWarnings(logger);
  let busy = false;
  // Rejections that nobody has handled come here as well (--unhandled-rejections=throw, the default).
  const take = (error: unknown, origin: string): void => {
    if (busy) process.exit(1);
    busy = true;
    try {
      faults.error('an error that nobody caught', { origin, ...faultFields(error) });
      caught(error);
    } catch {
      process.exit(1);
    }
    busy = false;
  };
  process.on('uncaughtException', take);
  return () => void process.off('uncaughtException', take);
}
