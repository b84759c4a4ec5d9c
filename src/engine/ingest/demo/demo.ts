import { setTimeout as sleep } from 'node:timers/promises';
import type { Authorise, PublishGrant } from '../../../contract/publish-grant.ts';
import { toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { startDemoSource } from './to-units.ts';

export type DemoOptions = {
  inputId: string;
  streamKey: string;
  file?: string;
  ffmpeg?: string;
};

export type DemoDependencies = {
  authorise: Authorise;
  publish(grant: PublishGrant, streamKey: string, publisher: IngestPublisher): Publishing;
  logger: Logger;
};

/** Publishes the test picture like any encoder, with its key; waits for a control plane that is away. Returns how to stop. */
export function startDemo(options: DemoOptions, { authorise, publish, logger }: DemoDependencies): () => void {
  const { inputId, streamKey, file, ffmpeg } = options;
  const abort = new AbortController();
  let stopSource: (() => void) | undefined;
  let publishing: Publishing | undefined;
  const stop = (): void => {
    abort.abort();
    stopSource?.();
    publishing?.end(true);
  };
  const run = async (): Promise<void> => {
    const request = { kind: 'publish', inputId, streamKey, ingest: 'rtmp', remoteAddress: 'demo' } as const;
    const grant = await authorise(request);
    if (abort.signal.aborted) return;
    publishing = publish(grant, streamKey, { kind: 'demo', replaced: stop });
    const hold = publishing;
    stopSource = await startDemoSource({
      ...(file === undefined ? {} : { file }),
      ...(ffmpeg === undefined ? {} : { ffmpeg }),
      push: (unit) => hold.push(unit),
      logger,
    });
    if (abort.signal.aborted) stopSource();
  };
  const keepTrying = async (): Promise<void> => {
    for (let waitMs = 250; !abort.signal.aborted; waitMs = Math.min(waitMs * 2, 5000)) {
      try {
        return await run();
      } catch (error) {
        const { code, message } = toStreamsError(error);
        logger.warn('cannot start the demo', { code, reason: message });
        if (code !== 'API_UNREACHABLE') return;
      }
      await sleep(waitMs, undefined, { signal: abort.signal }).catch(() => {});
    }
  };
  void keepTrying();
  return stop;
}
