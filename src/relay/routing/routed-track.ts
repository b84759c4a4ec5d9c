import type { SubscribeAnswer } from '../../session/types.ts';
import type { RelayTrack } from '../track/track.ts';
import type { UpstreamTrack } from '../upstream/upstream-track.ts';
import { expiryOf, type ViewerSession } from '../viewer/viewer-session.ts';

/** A track that the router has taken up. */
export type RoutedTrack = {
  readonly track: RelayTrack;
  readonly feed: UpstreamTrack;
  /** Requests waiting for the first answer from upstream. */
  pending: number;
  /** Viewers that are relays of the cluster. */
  members: number;
  /** Why nothing of it is sent any more; those who join it from then on are told so. */
  over?: { readonly status: number; readonly reason: string };
};

export function isWatched({ track, pending }: RoutedTrack): boolean {
  return track.viewers.size > 0 || pending > 0;
}

/** What a subscriber in that session is told of the track. */
export function answerOf(track: RelayTrack, session: ViewerSession): SubscribeAnswer {
  const { alias, largest, properties: trackProperties } = track;
  return {
    alias,
    trackProperties,
    ...(largest !== undefined && { largest }),
    ...expiryOf(session),
  };
}
