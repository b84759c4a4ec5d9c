/** ALPN, WebTransport subprotocol and WebSocket subprotocol at once (draft-lcurley-moq-lite, Session). */
export type LiteVersion = 'moq-lite-04' | 'moq-lite-05';

/** Best first. */
export const liteProtocols: readonly LiteVersion[] = ['moq-lite-05', 'moq-lite-04'];

export function liteVersion(protocol: string): LiteVersion | undefined {
  return liteProtocols.find((version) => version === protocol);
}

/** What moq-lite-05 brought: SETUP, TRACK_INFO, ANNOUNCE_OK, timestamps of frames, datagrams. */
export function hasTrackInfo(version: LiteVersion): boolean {
  return version !== 'moq-lite-04';
}
