import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { type AnnounceBroadcast, announceBroadcast } from '../../codec/moqt/lite/announce-broadcast.ts';
import { announceOk } from '../../codec/moqt/lite/announce-ok.ts';
import { announceRequest } from '../../codec/moqt/lite/announce-request.ts';
import { requestTypes } from '../../codec/moqt/lite/stream-types.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import { limitExceeded, MoqtError, protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { deferred } from '../../core/deferred.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { Hops, IncomingNamespace, NamespaceEvent, PrefixSubscription } from '../types.ts';
import type { LiteContext } from './context.ts';
import { type LiteStream, openRequest } from './lite-stream.ts';
import { checkOpen } from './lite-subscriber.ts';
import { refusalError, unanswered } from './refused.ts';

/** Events not yet asked for, and broadcasts at once; a peer that tells of more is not listened to any longer. */
const maxEvents = 10_000;

/**
 * Asks for the announcements below a prefix. Resolves once the peer agreed, which moq-lite-04 does not say. Throws RequestError or
 * StreamsError.
 */
export async function watchAnnouncements(context: LiteContext, prefix: readonly string[]): Promise<AnnounceWatch> {
  checkOpen(context, undefined);
  const request = { prefix, excludeHop: context.hopId };
  const stream = openRequest(context, requestTypes.announce, announceRequest, request);
  let peerHop: bigint | undefined;
  if (hasTrackInfo(context.version)) {
    try {
      const ok = await stream.reader.message(announceOk);
      if (ok === null) throw unanswered('ANNOUNCE_REQUEST');
      peerHop = ok.hopId;
    } catch (error) {
      if (error instanceof MoqtError) context.fail(error);
      stream.cancel(streamResetCodes.cancelled);
      throw refusalError(error, 'ANNOUNCE_REQUEST');
    }
  }
  const watch = new AnnounceWatch(context, stream, prefix, peerHop);
  context.guard(() => watch.follow());
  return watch;
}

export class AnnounceWatch implements PrefixSubscription<NamespaceEvent>, SessionMember {
  readonly #context: LiteContext;
  readonly #stream: LiteStream;
  readonly #prefix: readonly string[];
  /** The last hop of all that comes; undefined: they say it themselves. */
  readonly #peerHop: bigint | undefined;
  readonly #active = new Map<string, readonly string[]>();
  readonly #events: NamespaceEvent[] = [];
  #waiting: ((event: NamespaceEvent | null) => void)[] = [];
  #over = false;

  constructor(context: LiteContext, stream: LiteStream, prefix: readonly string[], peerHop: bigint | undefined) {
    this.#context = context;
    this.#stream = stream;
    this.#prefix = prefix;
    this.#peerHop = peerHop;
    context.live.add(this);
  }

  next(): Promise<NamespaceEvent | null> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#over) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  cancel(): void {
    if (this.#over) return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
  }

  /** Never rejects. */
  async follow(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#stream.reader.message(announceBroadcast);
        if (message === null || this.#over) break;
        this.#take(message);
      }
      this.#stream.finish();
      this.#end();
    } catch (error) {
      if (error instanceof MoqtError && error.code !== 'LIMIT_EXCEEDED') this.#context.fail(error);
      this.cancel();
    }
  }

  sessionEnded(): void {
    this.#end();
  }

  #take({ active, suffix, hops }: AnnounceBroadcast): void {
    const namespace = [...this.#prefix, ...suffix];
    const key = JSON.stringify(namespace);
    if (!active) {
      if (!this.#active.delete(key)) throw protocolViolation('a broadcast ended that was not announced');
      this.#push({ namespace, active });
    } else {
      if (this.#peerHop === undefined && this.#active.has(key)) throw protocolViolation('a broadcast announced twice');
      this.#active.set(key, namespace);
      this.#push({ namespace, active, hops: this.#peerHop === undefined ? hops : [...hops, this.#peerHop] });
    }
    if (this.#active.size > maxEvents || this.#events.length > maxEvents) throw limitExceeded('too many announcements');
  }

  #push(event: NamespaceEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting(event);
  }

  #end(): void {
    if (this.#over) return;
    for (const namespace of this.#active.values()) this.#push({ namespace, active: false });
    this.#over = true;
    this.#context.live.delete(this);
    for (const waiting of this.#waiting.splice(0)) waiting(null);
  }
}

/**
 * Asks for all that the peer publishes, and gives each to the handler: in moq-lite nobody announces unasked. Resolves when the
 * peer, or the session, has ended it; never rejects.
 */
export async function takeNamespaces(
  context: LiteContext,
  handler: (announcement: IncomingNamespace) => void,
): Promise<void> {
  const active = new Map<string, Announced>();
  let watch: AnnounceWatch;
  try {
    watch = await watchAnnouncements(context, []);
  } catch {
    // It publishes nothing, or the session is over.
    return;
  }
  for (let event = await watch.next(); event !== null; event = await watch.next()) {
    const key = JSON.stringify(event.namespace);
    const known = active.get(key);
    if (!event.active) {
      active.delete(key);
      known?.end();
    } else if (known !== undefined) known.move(event.hops);
    else {
      const announced = new Announced(event);
      active.set(key, announced);
      context.guard(() => handler(announced));
    }
  }
}

/** Whether we take it or not, the peer does not hear of it. */
class Announced implements IncomingNamespace {
  readonly namespace: readonly string[];
  hops: Hops | undefined;
  readonly #ended = deferred<void>();
  #moved: (hops: Hops) => void = () => {};

  constructor({ namespace, hops }: NamespaceEvent) {
    this.namespace = namespace;
    this.hops = hops;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  onMoved(moved: (hops: Hops) => void): void {
    this.#moved = moved;
  }

  move(hops: Hops | undefined): void {
    this.hops = hops;
    if (hops !== undefined) this.#moved(hops);
  }

  end(): void {
    this.#ended.resolve();
  }

  accept(): void {}

  reject(): void {
    this.end();
  }

  cancel(): void {
    this.end();
  }
}
