import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { announceBroadcast } from '../../codec/moqt/lite/announce-broadcast.ts';
import { announceOk } from '../../codec/moqt/lite/announce-ok.ts';
import type { AnnounceRequest } from '../../codec/moqt/lite/announce-request.ts';
import { resetCodeOf } from '../../codec/moqt/lite/codes.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { Hops, IncomingPrefix, PrefixFeed } from '../types.ts';
import type { LiteContext } from './context.ts';
import type { LiteStream } from './lite-stream.ts';

type Told = { readonly suffix: readonly string[]; readonly hops: readonly bigint[] };

/** Announcements that the peer asked for, until its stream ends (draft-lcurley-moq-lite, Announce). */
export class AnnounceFeed implements IncomingPrefix, PrefixFeed, SessionMember {
  readonly prefix: readonly string[];
  readonly forward = true;
  readonly #context: LiteContext;
  readonly #stream: LiteStream;
  readonly #excludeHop: bigint;
  readonly #cancelled = deferred<void>();
  readonly #told = new Map<string, Told>();
  /** `accepted`: what is announced now belongs to those that ANNOUNCE_OK counts. */
  #state: 'pending' | 'accepted' | 'open' | 'over' = 'pending';

  constructor(context: LiteContext, stream: LiteStream, { prefix, excludeHop }: AnnounceRequest) {
    this.prefix = prefix;
    this.#context = context;
    this.#stream = stream;
    this.#excludeHop = excludeHop;
    context.live.add(this);
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  accept(): PrefixFeed {
    if (this.#state === 'over') return this;
    if (this.#state !== 'pending') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#state = 'accepted';
    queueMicrotask(() => this.#context.guard(() => this.#start()));
    return this;
  }

  reject(code: number): void {
    if (this.#state === 'over') return;
    this.#stream.cancel(resetCodeOf(code));
    this.#end();
  }

  /** Once more with other hops: it comes another way now; moq-lite-04 cannot say that. */
  announce(namespace: readonly string[], hops: Hops = [this.#context.hopId]): void {
    if (this.#state === 'over' || !this.#isBelow(namespace)) return;
    // The peer would only throw it away.
    if (this.#excludeHop !== 0n && hops.includes(this.#excludeHop)) {
      this.withdraw(namespace);
      return;
    }
    const key = JSON.stringify(namespace);
    const told = { suffix: namespace.slice(this.prefix.length), hops: this.#wireHops(hops) };
    const before = this.#told.get(key);
    const again = before !== undefined;
    if (again && (before.hops.join() === told.hops.join() || !hasTrackInfo(this.#context.version))) return;
    if (this.#state === 'open' && !this.#send(true, told)) return;
    this.#told.set(key, told);
  }

  withdraw(namespace: readonly string[]): void {
    const key = JSON.stringify(namespace);
    const told = this.#told.get(key);
    if (told === undefined) return;
    this.#told.delete(key);
    if (this.#state === 'open') this.#send(false, { suffix: told.suffix, hops: [] });
  }

  blocked(): void {}

  /** Reads until the peer ends its side. */
  async follow(): Promise<void> {
    try {
      while ((await this.#stream.reader.receive.read()) !== null);
      this.#stream.finish();
    } finally {
      this.#cancel();
    }
  }

  sessionEnded(): void {
    this.#end();
  }

  #start(): void {
    if (this.#state !== 'accepted') return;
    this.#state = 'open';
    const { version, hopId } = this.#context;
    for (const [key, told] of this.#told) if (encoded(true, told, version) === undefined) this.#told.delete(key);
    if (hasTrackInfo(version)) {
      this.#stream.write(encodeMessage(announceOk, { hopId, activeCount: this.#told.size }, version));
    }
    for (const told of this.#told.values()) this.#send(true, told);
  }

  /** false: it cannot be said in moq-lite, so this peer does not hear of it. */
  #send(active: boolean, told: Told): boolean {
    const bytes = encoded(active, told, this.#context.version);
    if (bytes !== undefined) this.#stream.write(bytes);
    return bytes !== undefined;
  }

  /** moq-lite-05 has said with ANNOUNCE_OK who we are. */
  #wireHops(hops: Hops): readonly bigint[] {
    const { hopId, version } = this.#context;
    return hasTrackInfo(version) && hops.at(-1) === hopId ? hops.slice(0, -1) : hops;
  }

  #isBelow(namespace: readonly string[]): boolean {
    return this.prefix.length <= namespace.length && this.prefix.every((part, i) => part === namespace[i]);
  }

  #cancel(): void {
    if (this.#state === 'over') return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
  }

  #end(): void {
    this.#state = 'over';
    this.#context.live.delete(this);
    this.#cancelled.resolve();
  }
}

function encoded(active: boolean, told: Told, version: LiteContext['version']): Uint8Array | undefined {
  try {
    return encodeMessage(announceBroadcast, { active, ...told }, version);
  } catch (error) {
    if (error instanceof StreamsError && error.code === 'UNSUPPORTED') return undefined;
    throw error;
  }
}
