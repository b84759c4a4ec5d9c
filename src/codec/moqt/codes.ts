/** draft-18 3.5 and 15.10.1: why a session was closed. */
export const sessionCodes = {
  noError: 0x0,
  internalError: 0x1,
  unauthorized: 0x2,
  protocolViolation: 0x3,
  invalidRequestId: 0x4,
  duplicateTrackAlias: 0x5,
  keyValueFormattingError: 0x6,
  invalidPath: 0x8,
  malformedPath: 0x9,
  goawayTimeout: 0x10,
  controlMessageTimeout: 0x11,
  dataStreamTimeout: 0x12,
  authTokenCacheOverflow: 0x13,
  duplicateAuthTokenAlias: 0x14,
  versionNegotiationFailed: 0x15,
  malformedAuthToken: 0x16,
  unknownAuthTokenAlias: 0x17,
  expiredAuthToken: 0x18,
  invalidAuthority: 0x19,
  malformedAuthority: 0x1a,
} as const;

/** draft-18 10.6 and 15.10.2: why a request was refused. */
export const requestErrorCodes = {
  internalError: 0x0,
  unauthorized: 0x1,
  timeout: 0x2,
  notSupported: 0x3,
  malformedAuthToken: 0x4,
  expiredAuthToken: 0x5,
  goingAway: 0x6,
  excessiveLoad: 0x9,
  doesNotExist: 0x10,
  invalidRange: 0x11,
  malformedTrack: 0x12,
  duplicateSubscription: 0x19,
  uninterested: 0x20,
  prefixOverlap: 0x30,
  namespaceTooLarge: 0x31,
  invalidJoiningRequestId: 0x32,
  unsupportedExtension: 0x33,
  redirect: 0x34,
} as const;

/** draft-19 10.6: a filter that cannot be served. */
export const invalidFilter = 0x36;

/** draft-18 10.11 and 15.10.3: why a subscription ended. */
export const publishDoneCodes = {
  internalError: 0x0,
  unauthorized: 0x1,
  trackEnded: 0x2,
  subscriptionEnded: 0x3,
  goingAway: 0x4,
  tooFarBehind: 0x5,
  expired: 0x6,
  updateFailed: 0x8,
  excessiveLoad: 0x9,
  malformedTrack: 0x12,
} as const;

/** draft-18 3.3.3 and 15.10.4: RESET_STREAM and STOP_SENDING. */
export const streamResetCodes = {
  internalError: 0x0,
  cancelled: 0x1,
  deliveryTimeout: 0x2,
  sessionClosed: 0x3,
  goingAway: 0x4,
  tooFarBehind: 0x5,
  unknownObjectStatus: 0x6,
  expiredAuthToken: 0x7,
  excessiveLoad: 0x9,
  malformedTrack: 0x12,
} as const;

/** The four tables by name, for those who like `codes.requestError.doesNotExist`. */
export const codes = {
  session: sessionCodes,
  requestError: requestErrorCodes,
  publishDone: publishDoneCodes,
  streamReset: streamResetCodes,
} as const;

/** Name of a code in a table, or its hexadecimal form: for logs. */
export function codeName(table: Readonly<Record<string, number>>, code: number): string {
  for (const name in table) if (table[name] === code) return name;
  return `0x${code.toString(16)}`;
}
