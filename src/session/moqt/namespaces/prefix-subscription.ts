import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Message } from '../../../codec/moqt/message.ts';
import type { TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { type Deferred, deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { NamespaceEvent, PrefixSubscription, TracksOptions } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { awaitRequestOk } from '../requests/await-request-ok.ts';
import { followRequest } from '../requests/follow-request.ts';
import { assertFiltersTaken } from '../requests/refused-filter.ts';
import { hopPathOf, routeCostOf } from './hop-parameters.ts';

/** Events not yet asked for, and namespaces at once; a peer that tells of more is not listened to any longer. */
const maxEvents = 10_000;

/** SUBSCRIBE_NAMESPACE (draft-18 6.1, 10.18). Throws RequestError or StreamsError. */
export async function subscribeNamespace(
  context: SessionContext,
  prefix: readonly string[],
): Promise<PrefixSubscription<NamespaceEvent>> {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  const { stream } = context.channel.openRequest((requestId) => ({
    type: 'subscribeNamespace',
    requestId,
    prefix,
    parameters: {},
  }));
  await awaitRequestOk(context, stream, 'SUBSCRIBE_NAMESPACE');
  const active = new Map<string, readonly string[]>();
  const subscription = new Following<NamespaceEvent>(
    context,
    stream,
    (message) => {
      if (message.type !== 'namespace' && message.type !== 'namespaceDone') return undefined;
      const namespace = [...prefix, ...message.suffix];
      const key = JSON.stringify(namespace);
      const there = message.type === 'namespace';
      const said = message.type === 'namespace' ? message.parameters : undefined;
      if (said !== undefined && !context.carriesHops()) throw protocolViolation('NAMESPACE with parameters');
      const [hops, cost] = there ? [hopPathOf(context, said), routeCostOf(context, said)] : [];
      if (there) active.set(key, namespace);
      else if (!active.delete(key)) throw protocolViolation('NAMESPACE_DONE without its NAMESPACE');
      if (active.size > maxEvents) subscription.cancel();
      return { namespace, active: there, ...(hops !== undefined && { hops }), ...(cost !== undefined && { cost }) };
    },
    // draft-18 10.18: as though each had ended.
    () => [...active.values()].map((namespace) => ({ namespace, active: false })),
  );
  subscription.follow();
  return subscription;
}

/** SUBSCRIBE_TRACKS (draft-18 6.1, 10.19): tracks come as PUBLISH, those that cannot are told here. */
export async function subscribeTracks(
  context: SessionContext,
  prefix: readonly string[],
  options: TracksOptions = {},
): Promise<PrefixSubscription<TrackName>> {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  const { forward, rangeFilters } = options;
  assertFiltersTaken(context, rangeFilters);
  const { stream } = context.channel.openRequest((requestId) => ({
    type: 'subscribeTracks',
    requestId,
    prefix,
    parameters: { ...(forward !== undefined && { forward }), ...(rangeFilters !== undefined && { rangeFilters }) },
  }));
  await awaitRequestOk(context, stream, 'SUBSCRIBE_TRACKS');
  const subscription = new Following<TrackName>(
    context,
    stream,
    (message) => {
      if (message.type !== 'publishBlocked') return undefined;
      const { namespace, name } = message.track;
      return { namespace: [...prefix, ...namespace], name };
    },
    () => [],
  );
  subscription.follow();
  return subscription;
}

/** The answers to a subscription to a prefix, as they come. */
class Following<E> implements PrefixSubscription<E>, SessionMember {
  readonly #context: SessionContext;
  readonly #stream: MessageStream;
  readonly #read: (message: Message) => E | undefined;
  readonly #atEnd: () => E[];
  readonly #waiting: Deferred<E | null>[] = [];
  readonly #events: E[] = [];
  #over = false;

  /** `read` answers undefined for a message that has no place here. */
  constructor(
    context: SessionContext,
    stream: MessageStream,
    read: (message: Message) => E | undefined,
    atEnd: () => E[],
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#read = read;
    this.#atEnd = atEnd;
    context.live.add(this);
  }

  next(): Promise<E | null> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#over) return Promise.resolve(null);
    const waiting = deferred<E | null>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  cancel(): void {
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
  }

  follow(): void {
    followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type === 'goaway' || this.#over) return;
        const event = this.#read(message);
        if (event === undefined) throw protocolViolation(`${message.type} to a subscription of a prefix`);
        this.#push(event);
        if (this.#events.length > maxEvents) this.cancel();
      },
      cancelled: () => this.cancel(),
      finished: () => this.cancel(),
    });
  }

  sessionEnded(): void {
    this.#end();
  }

  #push(event: E): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting.resolve(event);
  }

  #end(): void {
    if (this.#over) return;
    for (const event of this.#atEnd()) this.#push(event);
    this.#over = true;
    this.#context.live.delete(this);
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(null);
  }
}
