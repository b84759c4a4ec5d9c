export type { Catalog, CatalogTrack } from '../codec/catalog/streams-catalog.ts';
export { fromHex } from '../core/bytes.ts';
export type { ErrorCode } from '../core/errors.ts';
export { StreamsError } from '../core/errors.ts';
export { browserConnector, viewerProtocols } from './connect/connect-browser.ts';
export { type PlaybackClaims, readPlaybackToken } from './playback-token.ts';
export { attachPlayer, type Player, type PlayerOptions, type PlayerStats } from './player/mse-player.ts';
export { BroadcastPublisher } from './publisher/broadcast-publisher.ts';
export type {
  PublisherEndReason,
  PublisherOptions,
  PublisherState,
  PublisherStats,
  PublisherTrack,
} from './publisher/publisher-types.ts';
export { BroadcastViewer } from './viewer/broadcast-viewer.ts';
export { selectDefaultTracks } from './viewer/select-tracks.ts';
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
} from './viewer/viewer-types.ts';
