import { pathOf } from '../../codec/moqt/lite/fields.ts';
import { deferred } from '../../core/deferred.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { Hops, PublishedNamespace } from '../types.ts';
import type { AnnounceFeed } from './announce-feed.ts';
import type { LiteContext } from './context.ts';
import { checkOpen } from './lite-subscriber.ts';

/** What we publish in one session: told to the peer when, and where, it asks. */
export class OwnNamespaces {
  readonly #context: LiteContext;
  readonly #published = new Set<{ readonly namespace: readonly string[]; readonly hops: Hops | undefined }>();
  readonly #feeds = new Set<AnnounceFeed>();

  constructor(context: LiteContext) {
    this.#context = context;
  }

  /** Throws UNSUPPORTED for a namespace that is no path. Nobody agrees to it: `ended` is the end of the session or ours. */
  publish(namespace: readonly string[], hops?: Hops): PublishedNamespace {
    checkOpen(this.#context, undefined);
    pathOf(namespace);
    const own = { namespace, hops };
    const ended = deferred<void>();
    const { live } = this.#context;
    const member: SessionMember = {
      sessionEnded: () => {
        live.delete(member);
        this.#published.delete(own);
        ended.resolve();
      },
    };
    live.add(member);
    this.#published.add(own);
    for (const feed of this.#feeds) feed.announce(namespace, hops);
    return {
      ended: ended.promise,
      withdraw: () => {
        if (!this.#published.has(own)) return;
        member.sessionEnded({ by: 'local', code: 0, reason: '' });
        for (const feed of this.#feeds) feed.withdraw(namespace);
      },
    };
  }

  /** Tells of what there is, and of what comes and goes, until the feed is cancelled. */
  tell(feed: AnnounceFeed): void {
    this.#feeds.add(feed);
    for (const { namespace, hops } of this.#published) feed.announce(namespace, hops);
    void feed.cancelled.then(() => this.#feeds.delete(feed));
  }
}
