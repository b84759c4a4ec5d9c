import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../codes.ts';
import { fromPublishDoneCode as from16, olderResetCode, toPublishDoneCode as to16 } from '../draft16/error-codes.ts';
import type { Request } from '../message.ts';

type Kind = Request['type'];

/** draft-14 13.1: the same for all requests … */
const common: readonly (readonly [wire: number, code: number])[] = [
  [0x0, requestErrorCodes.internalError],
  [0x1, requestErrorCodes.unauthorized],
  [0x2, requestErrorCodes.timeout],
  [0x3, requestErrorCodes.notSupported],
  [0x10, requestErrorCodes.malformedAuthToken],
  [0x12, requestErrorCodes.expiredAuthToken],
];

const ofTracks = [
  [0x4, requestErrorCodes.doesNotExist],
  [0x5, requestErrorCodes.invalidRange],
] as const;
const uninterested = [[0x4, requestErrorCodes.uninterested]] as const;
const ofPrefixes = [
  [0x4, requestErrorCodes.doesNotExist],
  [0x5, requestErrorCodes.prefixOverlap],
] as const;

/** … and those of each. NO_OBJECTS (0x6) and UNKNOWN_STATUS_IN_RANGE (0x8) of a FETCH have no later name: they are read only. */
const own: Readonly<Record<Kind, readonly (readonly [wire: number, code: number])[]>> = {
  subscribe: ofTracks,
  trackStatus: ofTracks,
  fetch: [
    ...ofTracks,
    [0x6, requestErrorCodes.invalidRange],
    [0x7, requestErrorCodes.invalidJoiningRequestId],
    [0x8, requestErrorCodes.internalError],
    [0x9, requestErrorCodes.malformedTrack],
  ],
  publish: uninterested,
  publishNamespace: uninterested,
  subscribeNamespace: ofPrefixes,
  subscribeTracks: ofPrefixes,
};

/** Of draft-18 to draft-14; what has no word there becomes INTERNAL_ERROR. */
export function toRequestErrorCode(kind: Kind, code: number): number {
  return [...common, ...own[kind]].find(([, ours]) => ours === code)?.[0] ?? 0x0;
}

/** What is not of the draft's tables becomes INTERNAL_ERROR: the number means something else in draft-18. */
export function fromRequestErrorCode(kind: Kind, wire: number): number {
  return [...common, ...own[kind]].find(([theirs]) => theirs === wire)?.[1] ?? requestErrorCodes.internalError;
}

const malformedTrack = 0x7;

/** draft-14 9.12: as in draft-16, but for MALFORMED_TRACK and UPDATE_FAILED. */
export function toPublishDoneCode(code: number): number {
  if (code === publishDoneCodes.malformedTrack) return malformedTrack;
  return code === publishDoneCodes.updateFailed ? publishDoneCodes.internalError : to16(code);
}

export function fromPublishDoneCode(wire: number): number {
  return wire === malformedTrack ? publishDoneCodes.malformedTrack : from16(wire);
}

const highestResetCode = streamResetCodes.sessionClosed;

/** draft-14 13.1.8: the first four of draft-18, and no more. */
export const resetCodes = {
  toWire: (code: number): number => (code <= highestResetCode ? code : olderResetCode(code)),
  fromWire: (code: number): number => (code <= highestResetCode ? code : streamResetCodes.internalError),
};
