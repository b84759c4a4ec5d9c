/** A Media Playlist of one rendition (draft-pantos-hls-rfc8216bis 4.4.3, 4.4.4). Times in seconds. */
export type MediaPlaylist = {
  readonly version: number;
  /** Whole seconds; never changes in the life of a playlist. */
  readonly targetDuration: number;
  /** `VOD`: it never changes (4.4.3.5). */
  readonly type?: 'VOD';
  /** Every segment can be decoded without another (4.4.2.1). */
  readonly independentSegments?: boolean;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  /** undefined: no Low-Latency HLS. */
  readonly partTarget: number | undefined;
  readonly serverControl: ServerControl | undefined;
  /** Segments left out at the front, in a delta update (4.4.5.2). */
  readonly skippedSegments: number;
  readonly segments: readonly PlaylistSegment[];
  /** Parts of the segment that is being made, and how it begins; undefined when it has none yet. */
  readonly tail: PlaylistTail | undefined;
  readonly preloadHint: string | undefined;
  readonly renditionReports: readonly RenditionReport[];
  readonly ended: boolean;
};

export type ServerControl = {
  readonly canBlockReload: boolean;
  readonly canSkipUntil: number | undefined;
  readonly holdBack: number | undefined;
  readonly partHoldBack: number | undefined;
};

/** What may stand before a segment, whole or not. */
export type SegmentHead = {
  readonly discontinuity: boolean;
  /** URI of the init segment, where it is another one than that of the segment before. */
  readonly map: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly programDateTime: number | undefined;
  readonly parts: readonly PlaylistPart[];
};

export type PlaylistSegment = SegmentHead & { readonly uri: string; readonly duration: number };
export type PlaylistTail = SegmentHead;
export type PlaylistPart = { readonly uri: string; readonly duration: number; readonly independent: boolean };
export type RenditionReport = { readonly uri: string; readonly lastMsn: number; readonly lastPart: number | undefined };

/** A Multivariant Playlist (4.4.6). */
export type MultivariantPlaylist = {
  readonly version: number;
  readonly audio: readonly AudioRendition[];
  readonly variants: readonly Variant[];
};

export type AudioRendition = {
  readonly group: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly channels: number | undefined;
  readonly uri: string;
};

export type Variant = {
  readonly uri: string;
  /** Peak and average bits per second, with the audio that belongs to it. */
  readonly bandwidth: number;
  readonly averageBandwidth: number | undefined;
  readonly codecs: string;
  readonly resolution: { readonly width: number; readonly height: number } | undefined;
  readonly frameRate: number | undefined;
  readonly audioGroup: string | undefined;
};
