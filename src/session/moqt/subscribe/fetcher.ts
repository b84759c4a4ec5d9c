import { requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { FetchRange } from '../../../codec/moqt/control/fetch.ts';
import type { FetchOk } from '../../../codec/moqt/control/fetch-ok.ts';
import type { Message } from '../../../codec/moqt/message.ts';
import { MoqtError, protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { ReceiveStream } from '../../../transport/transport.ts';
import { RequestError } from '../../request-error.ts';
import type { FetchedObjects, FetchOptions, FetchTarget } from '../../types.ts';
import { tokensParameter } from '../auth-tokens.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { assertFiltersTaken } from '../requests/refused-filter.ts';
import { FetchReader } from './fetch-reader.ts';
import { TrackSubscription } from './subscription.ts';

/** Our fetches of one session, by request id: objects may come before FETCH_OK (draft-18 10.12.3). */
export class Fetcher {
  readonly #context: SessionContext;
  readonly #byRequestId = new Map<number, FetchReader>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async fetch(target: FetchTarget, options: FetchOptions = {}): Promise<FetchedObjects> {
    const { signal, priority, groupOrder = 'ascending', fillTimeoutMs, rangeFilters } = options;
    if (!this.#context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
    if (signal?.aborted) throw interrupted();
    assertFiltersTaken(this.#context, rangeFilters);
    const range = rangeOf(target, this.#context.dialect.withoutJoiningFetch === true);
    const { requestId, stream } = this.#context.channel.openRequest((id) => ({
      type: 'fetch',
      requestId: id,
      range,
      parameters: {
        groupOrder,
        ...(priority !== undefined && { subscriberPriority: priority }),
        ...tokensParameter(this.#context, options.tokens),
        ...(fillTimeoutMs !== undefined && { fillTimeoutMs }),
        ...(rangeFilters !== undefined && { rangeFilters }),
      },
    }));
    const reader = new FetchReader(this.#context, stream, groupOrder, () => this.#byRequestId.delete(requestId));
    this.#byRequestId.set(requestId, reader);
    const abort = () => reader.stop();
    try {
      signal?.addEventListener('abort', abort, { once: true });
      const answer = await stream.next();
      if (signal?.aborted) throw interrupted();
      const ok = this.#accepted(answer, stream);
      if (range.kind === 'standalone' && isBefore(ok.end, range.start))
        throw protocolViolation('FETCH_OK ends before it starts');
      reader.accepted(ok);
      return reader;
    } catch (error) {
      reader.stop();
      if (error instanceof MoqtError) this.#context.fail(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** A FETCH stream: `rest` is what was read behind its header. */
  onStream(requestId: number, stream: ReceiveStream, rest: Uint8Array): void {
    const reader = this.#byRequestId.get(requestId);
    // Of a fetch that we gave up, most likely.
    if (reader === undefined) stream.stop(streamResetCodes.cancelled);
    else reader.attach(stream, rest);
  }

  #accepted(answer: Message | null, stream: MessageStream): FetchOk {
    if (answer?.type === 'fetchOk') {
      const { mandatory } = this.#context.dialect.readTrackProperties(answer.trackProperties);
      if (mandatory === undefined) return answer;
      throw new RequestError(
        requestErrorCodes.unsupportedExtension,
        `mandatory track property 0x${mandatory.toString(16)}`,
      );
    }
    if (answer?.type === 'requestError') {
      stream.finish();
      throw new RequestError(answer.code, answer.reason, answer.retryMs);
    }
    if (answer !== null) throw protocolViolation(`${answer.type} in answer to FETCH`);
    throw new RequestError(requestErrorCodes.internalError, 'the peer ended the request without an answer');
  }
}

function rangeOf(target: FetchTarget, withoutJoining: boolean): FetchRange {
  if ('track' in target) {
    return { kind: 'standalone', track: target.track, start: target.start, end: target.end };
  }
  if (!(target.joining instanceof TrackSubscription)) {
    throw new StreamsError('INVALID_ARGUMENT', 'a joining fetch needs a subscription of the same session');
  }
  if (withoutJoining) {
    const { largest, track } = target.joining;
    if (largest === undefined) throw new RequestError(requestErrorCodes.invalidRange, 'nothing was published yet');
    const group = 'groupsBefore' in target ? Math.max(0, largest.group - target.groupsBefore) : target.fromGroup;
    if (group > largest.group) throw new RequestError(requestErrorCodes.invalidRange, 'behind the subscription');
    const end = { group: largest.group, object: largest.object + 1 };
    return { kind: 'standalone', track, start: { group, object: 0 }, end };
  }
  const joiningRequestId = target.joining.requestId;
  return 'groupsBefore' in target
    ? { kind: 'relativeJoining', joiningRequestId, start: target.groupsBefore }
    : { kind: 'absoluteJoining', joiningRequestId, start: target.fromGroup };
}

/** `end` as on the wire: object 0 is the whole group. */
function isBefore(end: { group: number; object: number }, start: { group: number; object: number }): boolean {
  return end.group < start.group || (end.group === start.group && end.object !== 0 && end.object < start.object);
}

function interrupted(): StreamsError {
  return new StreamsError('INTERRUPTED', 'the fetch was given up');
}
