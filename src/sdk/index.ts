export type { Catalog, CatalogTrack } from '../codec/catalog/streams-catalog.ts';
export type { ErrorCode } from '../core/errors.ts';
export { StreamsError } from '../core/errors.ts';
export { type PlaybackClaims, readPlaybackToken } from './playback-token.ts';
export type {
  ConnectTransport,
  Viewer,
  ViewerEndReason,
  ViewerGap,
  ViewerListener,
  ViewerObject,
  ViewerOptions,
  ViewerState,
  ViewerStats,
  ViewerTrackStats,
} from './viewer-types.ts';
