import type { TrackName } from '../../../codec/moqt/model.ts';
import type { Refusal, SessionHandlers } from '../../types.ts';
import type { SessionContext } from '../context.ts';
import { type FetchRequest, fetchRefusals, type ResolvedFetch } from './incoming-fetch.ts';

/**
 * A FETCH of what is there from `groups` groups before the next one on (draft-20 5.1.2). Up to which object that is, whoever answers
 * TRACK_STATUS says. Never rejects.
 */
export async function resolveRelative(
  context: SessionContext,
  request: FetchRequest,
  track: TrackName,
  groups: number,
  ask: SessionHandlers['trackStatus'],
): Promise<ResolvedFetch | Refusal> {
  if (ask === undefined) return fetchRefusals.notSupported;
  return new Promise((resolve) => {
    const { tokens, cancelled } = request;
    void cancelled.then(() => resolve(fetchRefusals.nothingPublished));
    context.guard(() =>
      ask({
        track,
        tokens,
        cancelled,
        accept({ largest }) {
          if (largest === undefined) resolve(fetchRefusals.nothingPublished);
          else if (groups === 0) resolve(fetchRefusals.notYet);
          else {
            const start = { group: Math.max(0, largest.group + 1 - groups), object: 0 };
            resolve({ track, start, end: { group: largest.group, object: largest.object + 1 } });
          }
        },
        reject: (code, reason) => resolve({ code, reason }),
      }),
    );
  });
}
