import { publishDoneCodes, requestErrorCodes } from '../codes.ts';

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
