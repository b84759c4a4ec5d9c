import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Publish } from '../../../codec/moqt/control/publish.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import type { Location, TrackName } from '../../../codec/moqt/model.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { parametersFor, type SubscriptionTerms } from '../../terms.ts';
import type { IncomingPublish, Subscription } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { assertFiltersTaken } from '../requests/refused-filter.ts';

/** One PUBLISH of the peer (draft-18 10.10), from its arrival until it is answered. */
export class PublishRequest implements IncomingPublish, SessionMember {
  readonly track: TrackName;
  readonly alias: number;
  readonly largest: Location | undefined;
  readonly forward: boolean;
  readonly trackProperties: Uint8Array;
  readonly tokens: readonly AuthToken[];
  readonly requestId: number;
  readonly stream: MessageStream;
  readonly #context: SessionContext;
  readonly #establish: (request: PublishRequest) => Subscription;
  readonly #answered: (request: PublishRequest) => void;
  #over = false;

  /** `answered` is called once, when it was refused or the session ended. */
  constructor(
    context: SessionContext,
    stream: MessageStream,
    message: Publish,
    establish: (request: PublishRequest) => Subscription,
    answered: (request: PublishRequest) => void,
  ) {
    const { parameters } = message;
    this.requestId = message.requestId;
    this.track = message.track;
    this.alias = message.trackAlias;
    this.largest = parameters.largestObject;
    this.forward = parameters.forward ?? true;
    this.trackProperties = message.trackProperties.slice();
    this.tokens = context.authTokens.ofRequest(parameters.authorizationTokens);
    this.stream = stream;
    this.#context = context;
    this.#establish = establish;
    this.#answered = answered;
    context.live.add(this);
  }

  accept(terms: Partial<SubscriptionTerms> = {}): Subscription {
    if (this.#over) throw new StreamsError('TRANSPORT_CLOSED', 'the publisher is gone');
    assertFiltersTaken(this.#context, terms.rangeFilters);
    const inUpdate = this.#context.dialect.withoutPublishOkTerms === true;
    const parameters = inUpdate ? {} : parametersFor(terms);
    this.stream.send({ type: 'requestOk', parameters, trackProperties: emptyBytes });
    const subscription = this.#establish(this);
    this.#end();
    const { groupOrder: _, ...changes } = terms;
    // Refused, it ends the subscription, which tells.
    if (inUpdate && Object.keys(changes).length > 0) subscription.update(changes).catch(() => {});
    return subscription;
  }

  reject(code: number, reason: string): void {
    if (this.#over) return;
    this.stream.send({ type: 'requestError', code, reason });
    this.stream.finish();
    this.stream.stopReading(streamResetCodes.cancelled);
    this.#end();
  }

  sessionEnded(): void {
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#context.live.delete(this);
    this.#answered(this);
  }
}
