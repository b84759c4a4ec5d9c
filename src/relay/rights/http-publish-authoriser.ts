import type { ControlClient } from '../../contract/client.ts';
import { publishAuthoriser } from '../../contract/publish-grant.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { PublishAuthoriser } from './authorise.ts';

/** None of these is the publisher's fault: control is away, or busy. */
const undecided = new Set(['API_UNREACHABLE', 'RATE_LIMITED', 'NOT_FOUND']);

/** Asks control about stream keys. Only a clear refusal is UNAUTHORIZED; an outage is not. */
export function controlPublishAuthoriser(control: ControlClient): PublishAuthoriser {
  const ask = publishAuthoriser(control);
  return {
    async authorisePublish({ inputId, streamKey, by, remoteAddress }) {
      const ingest = by === 'engine' ? 'engine' : 'moqt';
      try {
        return await ask({ kind: 'publish', inputId, ...(streamKey && { streamKey }), ingest, remoteAddress });
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (code === 'API_UNREACHABLE') throw error;
        if (undecided.has(code)) throw new StreamsError('API_UNREACHABLE', `the control plane refused: ${message}`);
        throw new StreamsError('UNAUTHORIZED', message);
      }
    },
  };
}
