import type { PublishNamespace } from '../../../codec/moqt/control/publish-namespace.ts';
import type { SharedRequest } from './shared-request.ts';

type Announcement = { readonly request: SharedRequest; readonly suffix: readonly string[] };

/**
 * Our SUBSCRIBE_NAMESPACEs where they have no stream of their own (draft-14 9.28): a PUBLISH_NAMESPACE below the prefix of one
 * belongs to it, any other is an announcement of the peer's own.
 */
export class PrefixAnnouncements {
  readonly #told = new Map<string, Announcement>();

  /** Returns whether it belongs to one of `requests`, which has heard of it then. */
  take({ namespace }: PublishNamespace, requests: Iterable<SharedRequest>): boolean {
    for (const request of requests) {
      const { subject: prefix } = request;
      if (!request.isOurPrefix || prefix === undefined || !prefix.every((field, i) => field === namespace[i])) continue;
      const suffix = namespace.slice(prefix.length);
      this.#told.set(JSON.stringify(namespace), { request, suffix });
      if (request.type === 'subscribeNamespace') request.receive({ type: 'namespace', suffix });
      return true;
    }
    return false;
  }

  /** PUBLISH_NAMESPACE_DONE; answers whether it was one of those. */
  done(namespace: readonly string[]): boolean {
    const key = JSON.stringify(namespace);
    const told = this.#told.get(key);
    if (told === undefined) return false;
    this.#told.delete(key);
    const { request, suffix } = told;
    if (request.type === 'subscribeNamespace') request.receive({ type: 'namespaceDone', suffix });
    return true;
  }

  over(request: SharedRequest): void {
    for (const [key, told] of this.#told) if (told.request === request) this.#told.delete(key);
  }
}
