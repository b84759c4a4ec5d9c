import type { NamespacePublisher } from './namespace-publisher.ts';
import { isRemote } from './route.ts';

/** What a subscription brings, beside what the one before it brought; `unknown`: its objects will tell. */
export type Content = 'same' | 'other' | 'unknown';

/** Who makes what a publisher brings. */
export type Source = {
  /** As it says itself. */
  readonly origin: bigint | undefined;
  /** As hop lists say. A publisher that does not say who it is is another one in every session. */
  readonly hop: bigint | undefined;
  readonly isRemote: boolean;
};

export function sourceOf(publisher: NamespacePublisher): Source {
  return { origin: publisher.origin, hop: publisher.route?.hops[0] || undefined, isRemote: isRemote(publisher) };
}

/**
 * Two that say who they are and are not the same have content of their own. What comes from the same over another way is the
 * same: the relay next to it has seen to that, whereas a publisher that is read anew may have begun anew.
 */
export function contentOf(now: Source, before: Source | undefined): Content {
  if (before === undefined) return 'unknown';
  if (now.origin !== undefined && before.origin !== undefined && now.origin !== before.origin) return 'other';
  return now.isRemote && before.isRemote && now.hop !== undefined && now.hop === before.hop ? 'same' : 'unknown';
}
