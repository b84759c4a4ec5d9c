/** One RTMP message (RTMP 1.0 section 6), reassembled from its chunks. */
export type RtmpMessage = {
  readonly type: number;
  readonly streamId: number;
  /** Milliseconds, 32 bits, wraps. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
};

/** Message type ids (RTMP 1.0 sections 5.4, 6.2, 7.1). */
export const messageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  dataAmf0: 18,
  commandAmf0: 20,
  aggregate: 22,
} as const;
