export type { Catalog, CatalogTrack } from '../codec/catalog/streams-catalog.ts';
export { fromHex } from '../core/bytes.ts';
export type { ErrorCode } from '../core/errors.ts';
export { StreamsError } from '../core/errors.ts';
export { BroadcastPublisher } from './broadcast-publisher.ts';
export { BroadcastViewer } from './broadcast-viewer.ts';
export { browserConnector, viewerProtocols } from './connect-browser.ts';
export { attachPlayer, type Player, type PlayerOptions, type PlayerStats } from './mse-player.ts';
export { type PlaybackClaims, readPlaybackToken } from './playback-token.ts';
export type {
  PublisherEndReason,
  PublisherOptions,
  PublisherState,
  PublisherStats,
  PublisherTrack,
} from './publisher-types.ts';
export { selectDefaultTracks } from './select-tracks.ts';
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
