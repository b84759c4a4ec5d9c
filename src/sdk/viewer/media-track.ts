import { GroupFollower, type TrackPosition } from '../../broadcast/group-follower.ts';
import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { parseFragment } from '../../codec/cmaf/fragment.ts';
import { publishDoneCodes, requestErrorCodes } from '../../codec/moqt/codes.ts';
import { childController, delay } from '../../core/delay.ts';
import { objectPriorities } from '../../core/send-order.ts';
import { RequestError } from '../../session/request-error.ts';
import type { MoqObject, Session, Subscription } from '../../session/types.ts';
import type { ViewerGap, ViewerObject, ViewerTrackStats } from './viewer-types.ts';

/** What is known of a track across subscriptions and sessions. */
export class TrackRecord {
  position: TrackPosition | undefined;
  groups = 0;
  objects = 0;
  bytes = 0;
  gaps = 0;
  latencyMs: number | undefined;
  #lastGroup: number | undefined;

  count(object: ViewerObject): void {
    if (object.groupId !== this.#lastGroup) this.groups++;
    this.#lastGroup = object.groupId;
    this.objects++;
    this.bytes += object.payload.length;
    if (object.latencyMs !== undefined) this.latencyMs = object.latencyMs;
  }

  stats(): ViewerTrackStats {
    const { groups, objects, bytes, gaps, latencyMs } = this;
    return { groups, objects, bytes, gaps, ...(latencyMs === undefined ? {} : { latencyMs }) };
  }
}

export type FollowTrackOptions = {
  session: Session;
  namespace: readonly string[];
  track: CatalogTrack;
  record: TrackRecord;
  rendezvousMs: number;
  stallMs: number;
  /** See `ViewerOptions`. */
  maxLateMs?: number;
  /** What is being delivered may come to its end; no new subscription. */
  last: AbortSignal;
  /** Nothing more is delivered. */
  stop: AbortSignal;
  onObject(object: ViewerObject): void;
  onGap(gap: ViewerGap): void;
};

const retryMs = 250;
/**
 * Follows one media track, subscription after subscription. Resolves with true when the publisher said that the track is
 * over, false when it was told to end. Rejects with RequestError when the relay refuses for good (UNAUTHORIZED and such).
 */
export async function followTrack(options: FollowTrackOptions): Promise<boolean> {
  // Who lets go of a track waits for no answer to it: until then it could not be asked for again.
  const { controller: asking, release } = childController(options.last);
  const giveUp = () => asking.abort();
  if (options.stop.aborted) giveUp();
  options.stop.addEventListener('abort', giveUp, { once: true });
  try {
    return await follow(options, asking.signal);
  } finally {
    release();
    options.stop.removeEventListener('abort', giveUp);
  }
}

/** `over`: no new subscription. */
async function follow(options: FollowTrackOptions, over: AbortSignal): Promise<boolean> {
  const { session, namespace, track, record, stop } = options;
  while (!over.aborted) {
    let subscription: Subscription;
    try {
      subscription = await session.subscribe(
        { namespace, name: track.name },
        {
          filter: { type: 'unfiltered' },
          priority: objectPriorities[track.kind],
          // What is live goes before what is late.
          ...(options.stallMs !== Number.POSITIVE_INFINITY && { groupOrder: 'descending' }),
          ...(options.maxLateMs !== undefined && { subgroupTimeoutMs: options.maxLateMs }),
          rendezvousMs: options.rendezvousMs,
          signal: over,
        },
      );
    } catch (error) {
      if (over.aborted) break;
      if (!(error instanceof RequestError)) throw error;
      if (error.code === 'UNAUTHORIZED' || error.code === 'TOKEN_EXPIRED') throw error;
      await delay(error.retryMs ?? retryMs, over);
      continue;
    }
    const follower = new GroupFollower({
      subscription,
      position: record.position,
      stallMs: options.stallMs,
      onObject: (groupId, object) => {
        const seen = toViewerObject(track, groupId, object);
        record.count(seen);
        options.onObject(seen);
      },
      onGap: (fromGroup, toGroup, reason) => {
        record.gaps++;
        options.onGap({ track: track.name, fromGroup, toGroup, reason });
      },
    });
    const halt = () => {
      follower.stop();
      subscription.unsubscribe();
    };
    if (stop.aborted) halt();
    stop.addEventListener('abort', halt, { once: true });
    await follower.run();
    stop.removeEventListener('abort', halt);
    record.position = follower.position;
    const end = await subscription.done;
    if (stop.aborted) break;
    if (end.by === 'publisher' && end.status === publishDoneCodes.trackEnded) {
      if (options.stallMs === Number.POSITIVE_INFINITY) return true;
    }
    if (end.by === 'publisher' && end.status === publishDoneCodes.unauthorized)
      throw new RequestError(requestErrorCodes.unauthorized, end.reason);
    await delay(retryMs, over);
  }
  return false;
}

function toViewerObject(track: CatalogTrack, groupId: number, object: MoqObject): ViewerObject {
  const receivedAt = Date.now();
  const { objectId, payload } = object;
  const producedAt = objectId === 0 ? undefined : producerTime(payload);
  return {
    track: track.name,
    kind: track.kind,
    groupId,
    objectId,
    payload,
    receivedAt,
    ...(producedAt === undefined ? {} : { latencyMs: receivedAt - producedAt }),
  };
}

/** A fragment we cannot read is still handed on: the player has the last word on it. */
function producerTime(fragment: Uint8Array): number | undefined {
  try {
    return parseFragment(fragment).producer?.wallClock;
  } catch {
    return undefined;
  }
}
