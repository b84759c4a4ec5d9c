/** The nouns of MoQT, the same in every draft. Codec and session share them. */

/** Namespace tuple and track name. On the wire both are bytes; ours are UTF-8 strings. */
export type TrackName = { readonly namespace: readonly string[]; readonly name: string };

/** draft-18 1.4.2. Ids are numbers: ours stay below 2^53, a peer's larger one is a protocol violation. */
export type Location = { readonly group: number; readonly object: number };

/**
 * draft-18 5.1.2. `unfiltered` passes everything the publisher has in its newest group and all that follows. `endObject`, the last one of the
 * last group, is for draft-20 and later; without, the group passes as a whole.
 */
export type SubscriptionFilter =
  | { readonly type: 'unfiltered' }
  | { readonly type: 'largestObject' }
  | { readonly type: 'nextGroup' }
  | { readonly type: 'absoluteStart'; readonly start: Location }
  | {
      readonly type: 'absoluteRange';
      readonly start: Location;
      readonly endGroup: number;
      readonly endObject?: number;
    };

export type GroupOrder = 'ascending' | 'descending';

export type ObjectStatus = 'normal' | 'endOfGroup' | 'endOfTrack';

/** One whole object; never torn: an object cut off by a reset or a vanished peer is not delivered. */
export type MoqObject = {
  readonly objectId: number;
  readonly status: ObjectStatus;
  /** Object properties exactly as received (draft-18 2.5), passed through untouched. */
  readonly properties: Uint8Array | undefined;
  readonly payload: Uint8Array;
};

/** What a peer may ask, one message each. */
export type RequestType =
  | 'subscribe'
  | 'publish'
  | 'fetch'
  | 'trackStatus'
  | 'publishNamespace'
  | 'subscribeNamespace'
  | 'subscribeTracks';
