/** A frame that was given to ffmpeg, for what comes back to be known by. */
export type SourceFrame = {
  /** Presentation on the clock of ffmpeg, whole ms. */
  readonly time: number;
  /** Presentation on the clock of the broadcast, in ticks of the source track; and how long it lasts. */
  readonly pts: number;
  readonly duration: number;
  readonly keyframe: boolean;
  readonly groupId: number;
  /** At which it came to the engine, ms since the Unix epoch. */
  readonly wallClock: number;
};

/** What an encoder makes, on its way into a track. */
export interface RenditionWriter {
  /** A new ffmpeg: groups up to `afterGroup` are not touched again. `timescale`: of the source frames' times. */
  reset(timescale: number, afterGroup: number): void;
  sent(frame: SourceFrame): void;
  /** Throws MALFORMED for what no ffmpeg writes. true: media came out. */
  take(body: Uint8Array, timestamp: number): boolean;
  /** Source time up to which it has been written, ms; undefined before the first. */
  readonly writtenUntil: number | undefined;
  /** Newest group begun; -1: none. */
  readonly groupId: number;
}
