import { requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { RequestUpdate } from '../../../codec/moqt/control/request-update.ts';
import type { SubscribeNamespace } from '../../../codec/moqt/control/subscribe-namespace.ts';
import type { SubscribeTracks } from '../../../codec/moqt/control/subscribe-tracks.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import { type RangeFilters, updatedFilters } from '../../../codec/moqt/fields/range-filters.ts';
import type { TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { Hops, IncomingPrefix, PrefixFeed, PrefixHooks } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest, takeUpdate } from '../requests/follow-request.ts';
import { refusedFilter } from '../requests/refused-filter.ts';

/** Prefixes of one kind that a session is subscribed to: none may begin with another (draft-18 10.18, 10.19). */
export class PrefixRegistry {
  #requests: readonly PrefixRequest[] = [];

  /** Returns whether another request is in the way. */
  overlaps(prefix: readonly string[], except: PrefixRequest): boolean {
    for (const other of this.#requests) {
      if (other !== except && (isPrefix(prefix, other.prefix) || isPrefix(other.prefix, prefix))) return true;
    }
    return false;
  }

  add(request: PrefixRequest): void {
    this.#requests = [...this.#requests, request];
  }

  delete(request: PrefixRequest): void {
    this.#requests = this.#requests.filter((each) => each !== request);
  }
}

/** One SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS of the peer, until its stream ends. */
export class PrefixRequest implements IncomingPrefix, PrefixFeed, SessionMember {
  prefix: readonly string[];
  forward: boolean;
  rangeFilters: RangeFilters | undefined;
  readonly tokens: readonly AuthToken[];
  readonly #context: SessionContext;
  readonly #stream: MessageStream;
  readonly #registry: PrefixRegistry;
  readonly #type: 'subscribeNamespace' | 'subscribeTracks';
  readonly #accepted = deferred<boolean>();
  readonly #cancelled = deferred<void>();
  /** Namespaces said to be there, by their key. */
  readonly #announced = new Map<string, { readonly namespace: readonly string[]; readonly way: string }>();
  #hooks: PrefixHooks = {};
  #state: 'pending' | 'accepted' | 'over' = 'pending';

  constructor(
    context: SessionContext,
    stream: MessageStream,
    message: SubscribeNamespace | SubscribeTracks,
    registry: PrefixRegistry,
  ) {
    this.prefix = message.prefix;
    this.forward = message.parameters.forward ?? true;
    this.rangeFilters = updatedFilters(undefined, message.parameters.rangeFilters ?? {});
    this.tokens = context.authTokens.ofRequest(message.parameters.authorizationTokens);
    this.#type = message.type;
    this.#context = context;
    this.#stream = stream;
    this.#registry = registry;
    context.live.add(this);
  }

  /** Whether it was accepted, once it is answered or over. */
  get accepted(): Promise<boolean> {
    return this.#accepted.promise;
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  /** Refuses it when its prefix overlaps with another; answers whether it did. */
  refuseOverlap(): boolean {
    if (!this.#registry.overlaps(this.prefix, this)) {
      this.#registry.add(this);
      return false;
    }
    this.reject(requestErrorCodes.prefixOverlap, 'overlaps with another prefix of this session');
    return true;
  }

  accept(hooks: PrefixHooks = {}): PrefixFeed {
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    if (this.#state === 'over') return this;
    this.#state = 'accepted';
    this.#hooks = hooks;
    this.#sendOk();
    this.#accepted.resolve(true);
    return this;
  }

  reject(code: number, reason: string, retryMs?: number): void {
    if (this.#state === 'over') return;
    this.#stream.send({ type: 'requestError', code, reason, ...(retryMs !== undefined && { retryMs }) });
    this.#stream.finish();
    this.#end();
  }

  announce(namespace: readonly string[], hops: Hops = [0n], cost = 0): void {
    const key = JSON.stringify(namespace);
    if (this.#state !== 'accepted' || !isPrefix(this.prefix, namespace)) return;
    const way = { hopPath: hops, ...(cost > 0 && { routeCost: cost }) };
    const parameters = this.#context.carriesHops() ? way : undefined;
    const said = parameters === undefined ? '' : `${hops} ${cost}`;
    if (this.#announced.get(key)?.way === said) return;
    this.#announced.set(key, { namespace, way: said });
    const suffix = namespace.slice(this.prefix.length);
    this.#stream.send({ type: 'namespace', suffix, ...(parameters !== undefined && { parameters }) });
  }

  withdraw(namespace: readonly string[]): void {
    if (this.#state !== 'accepted' || !this.#announced.delete(JSON.stringify(namespace))) return;
    this.#stream.send({ type: 'namespaceDone', suffix: namespace.slice(this.prefix.length) });
  }

  blocked(track: TrackName): void {
    if (this.#state !== 'accepted' || !isPrefix(this.prefix, track.namespace)) return;
    const suffix = { namespace: track.namespace.slice(this.prefix.length), name: track.name };
    this.#stream.send({ type: 'publishBlocked', track: suffix });
  }

  follow(): void {
    followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type === 'goaway') return;
        if (message.type !== 'requestUpdate') throw protocolViolation(`${message.type} on a ${this.#type} stream`);
        takeUpdate(this.#context, message);
        if (this.#state === 'accepted') this.#update(message);
      },
      cancelled: () => this.#cancel(),
      finished: () => this.#cancel(),
    });
  }

  sessionEnded(): void {
    this.#end();
  }

  /** draft-18 10.9.2: a refused update closes the stream. */
  #update({ parameters }: RequestUpdate): void {
    this.forward = parameters.forward ?? this.forward;
    const { trackNamespacePrefix, rangeFilters } = parameters;
    if (trackNamespacePrefix === undefined && rangeFilters === undefined && parameters.invalidFilter === undefined) {
      this.#sendOk();
      return;
    }
    const prefix = trackNamespacePrefix ?? this.prefix;
    const overlap = this.#registry.overlaps(prefix, this);
    const refusal = overlap
      ? { code: requestErrorCodes.prefixOverlap, reason: 'overlaps with another prefix of this session' }
      : (refusedFilter(parameters, this.rangeFilters) ?? this.#hooks.retarget?.(prefix));
    if (refusal !== undefined) {
      this.reject(refusal.code, refusal.reason);
      return;
    }
    this.prefix = prefix;
    if (rangeFilters !== undefined) this.rangeFilters = updatedFilters(this.rangeFilters, rangeFilters);
    for (const [key, { namespace }] of this.#announced) if (!isPrefix(prefix, namespace)) this.#announced.delete(key);
    this.#sendOk();
    this.#hooks.retargeted?.();
  }

  #sendOk(): void {
    this.#stream.send({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
  }

  #cancel(): void {
    if (this.#state === 'over') return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
  }

  #end(): void {
    this.#state = 'over';
    this.#registry.delete(this);
    this.#context.live.delete(this);
    this.#accepted.resolve(false);
    this.#cancelled.resolve();
  }
}

function isPrefix(prefix: readonly string[], namespace: readonly string[]): boolean {
  return prefix.length <= namespace.length && prefix.every((field, i) => field === namespace[i]);
}
