/**
 * Code points of QMux: draft-ietf-quic-qmux-02 sections 3 to 5, which takes its frames from RFC 9000 section 19 and its
 * datagrams from RFC 9221. Frame types and parameters of eight bytes do not fit a number and are bigint.
 */
export const frameType = {
  padding: 0x00,
  resetStream: 0x04,
  stopSending: 0x05,
  /** Up to 0x0f; the low bits tell OFF (4), LEN (2) and FIN (1). */
  stream: 0x08,
  maxData: 0x10,
  maxStreamData: 0x11,
  maxStreamsBidi: 0x12,
  maxStreamsUni: 0x13,
  dataBlocked: 0x14,
  streamDataBlocked: 0x15,
  streamsBlockedBidi: 0x16,
  streamsBlockedUni: 0x17,
  /** By the transport, with the type of the frame that was at fault. */
  connectionClose: 0x1c,
  /** By the application. */
  applicationClose: 0x1d,
  datagram: 0x30,
  datagramWithLength: 0x31,
} as const;

export const longFrameType = {
  transportParameters: 0x3f5153300d0a0d0an,
  pingRequest: 0x348c67529ef8c7bdn,
  pingResponse: 0x348c67529ef8c7ben,
} as const;

export const parameterId = {
  maxIdleTimeout: 0x01n,
  initialMaxData: 0x04n,
  initialMaxStreamDataBidiLocal: 0x05n,
  initialMaxStreamDataBidiRemote: 0x06n,
  initialMaxStreamDataUni: 0x07n,
  initialMaxStreamsBidi: 0x08n,
  initialMaxStreamsUni: 0x09n,
  maxDatagramFrameSize: 0x20n,
  maxRecordSize: 0x0571c59429cd0845n,
} as const;

/** RFC 9000 20.1: codes of CONNECTION_CLOSE. */
export const qmuxCode = {
  noError: 0x00,
  internalError: 0x01,
  flowControlError: 0x03,
  streamLimitError: 0x04,
  streamStateError: 0x05,
  finalSizeError: 0x06,
  frameEncodingError: 0x07,
  transportParameterError: 0x08,
  protocolViolation: 0x0a,
} as const;

/** Largest record (in a WebSocket: message) unless the receiver declared more: draft-02 section 5.2. */
export const defaultMaxRecordBytes = 16_382;
/**
 * Most data in one STREAM frame. The draft bounds the record alone; released receivers (@moq/qmux before 0.3.3, qmux
 * before 0.5) refuse frames with more.
 */
export const maxStreamFrameData = 16_352;
