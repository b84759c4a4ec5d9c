/**
 * One access unit on its way from an ingest to a packager.
 *
 * Invariants: `dts` is non-decreasing per track and starts anywhere; `pts` may be on either side of it (negative composition
 * offsets); both are in the unit's `timescale` (ticks per second). H.264/HEVC `data` is length-prefixed NAL units (4-byte lengths, ISO 14496-15), never Annex B, and
 * holds no parameter sets when they are in `config`. AV1 `data` is the OBUs of a temporal unit, each with its size, without
 * delimiter; VP8 and VP9 `data` a frame (or superframe). AAC `data` is one raw frame without ADTS, Opus `data` one packet (RFC 6716).
 * `config` is present on the first unit of a track and again whenever it changes.
 */
export type MediaUnit = VideoUnit | AudioUnit;

export type VideoUnit = {
  kind: 'video';
  codec: 'h264' | 'hevc' | 'av1' | 'vp9' | 'vp8';
  timescale: number;
  dts: number;
  pts: number;
  keyframe: boolean;
  data: Uint8Array;
  /** Decoder configuration record (avcC, hvcC, av1C payload; vpcC payload without version and flags), present when new. */
  config?: Uint8Array;
  /** Pixels, with `config` where that does not say: always of VP8 and VP9, else of records without parameter sets. */
  size?: { width: number; height: number };
  /** Wall clock at which the unit arrived, ms since the Unix epoch: the start of every latency figure. */
  arrivedAt: number;
};

export type AudioUnit = {
  kind: 'audio';
  codec: 'aac' | 'opus';
  timescale: number;
  dts: number;
  pts: number;
  /** In `timescale` ticks. */
  duration: number;
  data: Uint8Array;
  /** AudioSpecificConfig (AAC) or OpusHead (Opus), present when new. */
  config?: Uint8Array;
  arrivedAt: number;
};
