import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { RelayLimits } from '../limits.ts';

/** The limits of what one session may have under way. */
export type SessionLimit = keyof RelayLimits & `max${string}PerSession`;

/** When a request that was one too many may come again. */
export const retryMs = 1000;

/** Other than subscriptions, which are counted by track (ClaimedTracks). */
const kinds = {
  /** Subscriptions whose own token is being looked at: that may be a question to another process. */
  asking: { limit: 'maxSubscriptionsPerSession', what: 'subscriptions', retryMs },
  fetch: { limit: 'maxFetchesPerSession', what: 'fetches', retryMs },
  status: { limit: 'maxStatusesPerSession', what: 'TRACK_STATUS requests', retryMs },
  prefix: { limit: 'maxPrefixesPerSession', what: 'prefixes', retryMs },
  offer: { limit: 'maxOffersPerSession', what: 'offered tracks', retryMs: undefined },
  namespace: { limit: 'maxNamespacesPerSession', what: 'announced namespaces', retryMs: undefined },
} as const satisfies Record<string, { limit: SessionLimit; what: string; retryMs: number | undefined }>;

type Refusable = { reject(code: number, reason: string, retryMs?: number): void };

/** How many requests of each kind one session has under way. Each is counted before anything is done for it. */
export class RequestCounts {
  readonly #most: (limit: SessionLimit) => number;
  readonly #underWay = new Map<string, number>();

  constructor(most: (limit: SessionLimit) => number) {
    this.#most = most;
  }

  /** Counts the request until the answer is called; refuses it (EXCESSIVE_LOAD, undefined) when it is one too many. */
  take(kind: keyof typeof kinds, request: Refusable): (() => void) | undefined {
    const { limit, what, retryMs } = kinds[kind];
    const count = this.#underWay.get(kind) ?? 0;
    if (count >= this.#most(limit)) {
      request.reject(requestErrorCodes.excessiveLoad, `too many ${what} in this session`, retryMs);
      return undefined;
    }
    this.#underWay.set(kind, count + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#underWay.set(kind, this.#underWay.get(kind)! - 1);
    };
  }
}
