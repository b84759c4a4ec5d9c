import type { Grant } from '../../access/grant.ts';
import { requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { deferred } from '../../core/deferred.ts';
import type { FetchAnswer, FetchWriter, IncomingFetch } from '../../session/types.ts';
import { authFailed } from '../rights/auth-failed.ts';
import type { RequestGrant } from '../rights/request-grant.ts';

/** Serves it. The session ends when its `own` grant lapses; what a token of the request allowed ends with the token. */
export async function fetchUnder(
  granted: RequestGrant,
  own: Grant,
  request: IncomingFetch,
  serve: (request: IncomingFetch) => Promise<void>,
): Promise<void> {
  const lapsing = granted.grant === own ? undefined : lapsingFetch(request, granted.grant);
  try {
    await serve(lapsing?.request ?? request);
  } finally {
    lapsing?.stop();
    granted.over();
  }
}

/**
 * The same FETCH, which ends when the grant lapses that it rests on: refused with EXPIRED_AUTH_TOKEN if it is not answered yet,
 * its stream reset with that code otherwise. `stop` ends the watching.
 */
function lapsingFetch(request: IncomingFetch, grant: Grant): { request: IncomingFetch; stop: () => void } {
  const lapsed = deferred<void>();
  let writer: FetchWriter | undefined;
  let state: 'waiting' | 'accepted' | 'over' = 'waiting';
  const stop = grant.watch((reason) => {
    if (state === 'over') return;
    if (state === 'accepted') writer?.reset(streamResetCodes.expiredAuthToken);
    else request.reject(requestErrorCodes.expiredAuthToken, authFailed(reason));
    state = 'over';
    lapsed.resolve();
  });
  const watched: IncomingFetch = {
    track: request.track,
    tokens: request.tokens,
    start: request.start,
    end: request.end,
    priority: request.priority,
    groupOrder: request.groupOrder,
    fillTimeoutMs: request.fillTimeoutMs,
    rangeFilters: request.rangeFilters,
    cancelled: Promise.race([request.cancelled, lapsed.promise]),
    accept(answer: FetchAnswer): FetchWriter {
      if (state === 'over') return nobody;
      const own = request.accept(answer);
      writer = own;
      state = 'accepted';
      return {
        write: (item) => (state === 'over' ? Promise.resolve(false) : own.write(item)),
        finish: () => {
          if (state !== 'over') own.finish();
          state = 'over';
        },
        reset: (code) => {
          if (state !== 'over') own.reset(code);
          state = 'over';
        },
      };
    },
    reject(code, reason, retryMs) {
      if (state === 'waiting') request.reject(code, reason, retryMs);
      state = 'over';
    },
  };
  return { request: watched, stop };
}

/** Of a request that was refused before the relay came to answer it. */
const nobody: FetchWriter = { write: () => Promise.resolve(false), finish: () => {}, reset: () => {} };
