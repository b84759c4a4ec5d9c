import { requestErrorCodes } from '../codec/moqt/codes.ts';
import type { Subscribe } from '../codec/moqt/control/subscribe.ts';
import { StreamsError } from '../core/errors.ts';
import type { SessionContext } from './context.ts';
import type { SubscribeOwner } from './incoming-subscribe.ts';
import { SubscribeRequest } from './incoming-subscribe.ts';
import type { MessageStream } from './message-stream.ts';
import { trackKey } from './track-key.ts';

/** The peer's subscriptions in one session. */
export class Publisher implements SubscribeOwner {
  readonly #context: SessionContext;
  readonly #byTrack = new Map<string, SubscribeRequest>();
  readonly #byAlias = new Map<number, SubscribeRequest>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async onSubscribe(stream: MessageStream, message: Subscribe): Promise<void> {
    const request = new SubscribeRequest(this.#context, this, stream, message);
    const following = request.follow();
    const handler = this.#context.handlers().subscribe;
    const key = trackKey(request.track);
    const refused = handler === undefined ? notSupported : this.#byTrack.has(key) ? duplicate : undefined;
    if (refused !== undefined) request.reject(refused.code, refused.reason);
    else {
      this.#byTrack.set(key, request);
      handler!(request);
    }
    await following;
  }

  /** Throws INVALID_ARGUMENT when a live publication of this session has it. */
  claimAlias(alias: number, request: SubscribeRequest): void {
    if (this.#byAlias.has(alias)) throw new StreamsError('INVALID_ARGUMENT', `track alias ${alias} is in use`);
    this.#byAlias.set(alias, request);
  }

  release(request: SubscribeRequest): void {
    const key = trackKey(request.track);
    if (this.#byTrack.get(key) === request) this.#byTrack.delete(key);
    for (const [alias, owner] of this.#byAlias) if (owner === request) this.#byAlias.delete(alias);
  }
}

const notSupported = { code: requestErrorCodes.notSupported, reason: 'nothing is published here' };
const duplicate = { code: requestErrorCodes.duplicateSubscription, reason: 'already subscribed' };
