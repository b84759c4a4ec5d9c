import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { Hops, PublishedNamespace } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { awaitRequestOk } from '../requests/await-request-ok.ts';
import { followRequest } from '../requests/follow-request.ts';

/** Sends PUBLISH_NAMESPACE (draft-18 6.2, 10.15) and waits for the answer. Throws RequestError or StreamsError. */
export async function publishNamespace(
  context: SessionContext,
  namespace: readonly string[],
  hops?: Hops,
): Promise<PublishedNamespace> {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  const { stream } = context.channel.openRequest((requestId) => ({
    type: 'publishNamespace',
    requestId,
    namespace,
    parameters: context.carriesHops() ? { hopPath: hops ?? [context.hopId] } : {},
  }));
  await awaitRequestOk(context, stream, 'PUBLISH_NAMESPACE');
  const published = new Published(context, stream);
  published.follow();
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

  follow(): void {
    followRequest(this.#context, this.#stream, {
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
