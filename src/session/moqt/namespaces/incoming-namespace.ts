import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { PublishNamespace } from '../../../codec/moqt/control/publish-namespace.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { Hops, IncomingNamespace } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest, takeUpdate } from '../requests/follow-request.ts';
import { hopPathOf, routeCostOf } from './hop-parameters.ts';

/** One PUBLISH_NAMESPACE of the peer (draft-18 6.2, 10.15), withdrawn by reset, STOP_SENDING or FIN. */
export class NamespaceRequest implements IncomingNamespace, SessionMember {
  readonly namespace: readonly string[];
  readonly tokens: readonly AuthToken[];
  readonly #context: SessionContext;
  readonly #stream: MessageStream;
  readonly #ended = deferred<void>();
  #hops: Hops | undefined;
  #cost: number | undefined;
  #moved: (hops: Hops, cost?: number) => void = () => {};
  #state: 'pending' | 'accepted' | 'over' = 'pending';

  constructor(context: SessionContext, stream: MessageStream, message: PublishNamespace) {
    this.namespace = message.namespace;
    this.#hops = hopPathOf(context, message.parameters);
    this.#cost = routeCostOf(context, message.parameters);
    this.tokens = context.authTokens.ofRequest(message.parameters.authorizationTokens);
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hops(): Hops | undefined {
    return this.#hops;
  }

  get cost(): number | undefined {
    return this.#cost;
  }

  onMoved(moved: (hops: Hops, cost?: number) => void): void {
    this.#moved = moved;
  }

  accept(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#state = 'accepted';
    this.#sendOk();
  }

  reject(code: number, reason: string): void {
    if (this.#state === 'over') return;
    this.#stream.send({ type: 'requestError', code, reason });
    this.#stream.finish();
    this.#end();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
  }

  follow(): void {
    followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type === 'goaway') return;
        if (message.type !== 'requestUpdate') throw protocolViolation(`${message.type} on a PUBLISH_NAMESPACE stream`);
        takeUpdate(this.#context, message);
        const { hopPath } = message.parameters;
        if (hopPath !== undefined) {
          this.#hops = hopPathOf(this.#context, message.parameters);
          this.#cost = routeCostOf(this.#context, message.parameters);
        }
        if (this.#state !== 'accepted') return;
        this.#sendOk();
        if (hopPath !== undefined) this.#moved(hopPath, this.#cost);
      },
      cancelled: () => this.cancel(),
      finished: () => this.cancel(),
    });
  }

  sessionEnded(): void {
    this.#end();
  }

  #sendOk(): void {
    this.#stream.send({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
  }

  #end(): void {
    this.#state = 'over';
    this.#context.live.delete(this);
    this.#ended.resolve();
  }
}
