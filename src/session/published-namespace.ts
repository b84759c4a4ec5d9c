import { requestErrorCodes, streamResetCodes } from '../codec/moqt/codes.ts';
import { MoqtError, protocolViolation } from '../codec/moqt/moqt-error.ts';
import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type { SessionContext, SessionMember } from './context.ts';
import { followRequest } from './follow-request.ts';
import type { MessageStream } from './message-stream.ts';
import { openRequest } from './open-request.ts';
import { RequestError } from './request-error.ts';
import type { PublishedNamespace } from './types.ts';

/** Sends PUBLISH_NAMESPACE (draft-18 6.2, 10.15) and waits for the answer. Throws RequestError or StreamsError. */
export async function publishNamespace(
  context: SessionContext,
  namespace: readonly string[],
): Promise<PublishedNamespace> {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  const { stream } = openRequest(context, (requestId) => ({
    type: 'publishNamespace',
    requestId,
    namespace,
    parameters: {},
  }));
  try {
    const answer = await stream.next();
    if (answer?.type === 'requestError') {
      stream.finish();
      throw new RequestError(answer.code, answer.reason, answer.retryMs);
    }
    if (answer === null) {
      stream.cancel(streamResetCodes.cancelled);
      throw new RequestError(requestErrorCodes.internalError, 'the peer ended the request without an answer');
    }
    if (answer.type !== 'requestOk') throw protocolViolation(`${answer.type} in answer to PUBLISH_NAMESPACE`);
    // draft-18 10.5
    if (answer.trackProperties.length > 0) throw protocolViolation('track properties in PUBLISH_NAMESPACE_OK');
  } catch (error) {
    if (error instanceof MoqtError) context.fail(error);
    throw error;
  }
  const published = new Published(context, stream);
  void published.follow();
  return published;
}

class Published implements PublishedNamespace, SessionMember {
  readonly #context: SessionContext;
  readonly #stream: MessageStream;
  readonly #ended = deferred<void>();

  constructor(context: SessionContext, stream: MessageStream) {
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  withdraw(): void {
    this.#stream.cancel(streamResetCodes.cancelled);
    this.sessionEnded();
  }

  follow(): Promise<void> {
    return followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type !== 'goaway') throw protocolViolation(`${message.type} on a PUBLISH_NAMESPACE stream`);
      },
      cancelled: () => this.withdraw(),
      finished: () => this.withdraw(),
    });
  }

  sessionEnded(): void {
    this.#context.live.delete(this);
    this.#ended.resolve();
  }
}
