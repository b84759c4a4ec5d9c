import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../codes.ts';

/** draft-16 14.4.1, why a session was closed; draft-18 has it no more. */
export const tooManyRequests = 0x7;

/** Reasons of draft-18 that draft-16 does not know (14.4.2). */
const newRequestErrors: ReadonlySet<number> = new Set([
  requestErrorCodes.goingAway,
  requestErrorCodes.excessiveLoad,
  requestErrorCodes.namespaceTooLarge,
  requestErrorCodes.unsupportedExtension,
  requestErrorCodes.redirect,
]);

/** Of draft-18 to draft-16: what is new there becomes INTERNAL_ERROR. Those of draft-16 all mean the same in draft-18. */
export function toRequestErrorCode(code: number): number {
  return newRequestErrors.has(code) ? requestErrorCodes.internalError : code;
}

/** draft-16 14.4.3: EXPIRED and TOO_FAR_BEHIND changed places later. */
const expired = 0x5;
const tooFarBehind = 0x6;

export function toPublishDoneCode(code: number): number {
  if (code === publishDoneCodes.expired) return expired;
  if (code === publishDoneCodes.tooFarBehind) return tooFarBehind;
  return code === publishDoneCodes.excessiveLoad ? publishDoneCodes.internalError : code;
}

export function fromPublishDoneCode(code: number): number {
  if (code === expired) return publishDoneCodes.expired;
  return code === tooFarBehind ? publishDoneCodes.tooFarBehind : code;
}

const unknownObjectStatus = 0x4;
const sharedResetCodes: ReadonlySet<number> = new Set([
  streamResetCodes.internalError,
  streamResetCodes.cancelled,
  streamResetCodes.deliveryTimeout,
  streamResetCodes.sessionClosed,
  streamResetCodes.malformedTrack,
]);

/** Reasons of draft-18 that older versions have no word for. */
export function olderResetCode(code: number): number {
  if (code === streamResetCodes.tooFarBehind) return streamResetCodes.deliveryTimeout;
  return code === streamResetCodes.goingAway ? streamResetCodes.cancelled : streamResetCodes.internalError;
}

/** draft-16 14.4.4. UNKNOWN_OBJECT_STATUS has moved since. */
export const resetCodes = {
  toWire(code: number): number {
    if (sharedResetCodes.has(code)) return code;
    return code === streamResetCodes.unknownObjectStatus ? unknownObjectStatus : olderResetCode(code);
  },
  fromWire(code: number): number {
    if (sharedResetCodes.has(code)) return code;
    return code === unknownObjectStatus ? streamResetCodes.unknownObjectStatus : streamResetCodes.internalError;
  },
};
