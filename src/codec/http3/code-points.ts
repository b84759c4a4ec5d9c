/** Numbers of HTTP/3 (RFC 9114), QPACK (RFC 9204), capsules (RFC 9297) and WebTransport over HTTP/3 (its drafts). */

export const http3Code = {
  noError: 0x100,
  generalProtocolError: 0x101,
  streamCreationError: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  frameError: 0x106,
  excessiveLoad: 0x107,
  idError: 0x108,
  settingsError: 0x109,
  missingSettings: 0x10a,
  requestRejected: 0x10b,
  requestCancelled: 0x10c,
  messageError: 0x10e,
  qpackDecompressionFailed: 0x200,
  datagramError: 0x33,
  bufferedStreamRejected: 0x3994bd84,
  sessionGone: 0x170d7b68,
} as const;

export const frameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
} as const;

/** First integer of a stream. `webTransportBidi` stands in the place of a frame type on a bidirectional stream. */
export const streamType = {
  control: 0x00,
  push: 0x01,
  qpackEncoder: 0x02,
  qpackDecoder: 0x03,
  webTransportUni: 0x54,
  webTransportBidi: 0x41,
} as const;

export const settingId = {
  qpackMaxTableCapacity: 0x01,
  qpackBlockedStreams: 0x07,
  enableConnectProtocol: 0x08,
  h3Datagram: 0x33,
  /** draft-ietf-masque-h3-datagram-04 */
  h3DatagramDraft04: 0xffd277,
  /** draft-ietf-webtrans-http3-02 */
  enableWebTransport: 0x2b603742,
  /** draft-ietf-webtrans-http3-07 */
  webTransportMaxSessions: 0xc671706a,
} as const;

export const capsuleType = {
  closeWebTransportSession: 0x2843,
  drainWebTransportSession: 0x78ae,
} as const;
