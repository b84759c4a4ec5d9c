/** An open WebSocket as QMux needs it: `ws` on Node and the platform's own in a browser look the same from here. */
export interface QmuxSocket {
  /** Bytes sent and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Called once, before anything is sent. Nothing that arrived before is lost. */
  listen(events: QmuxSocketEvents): void;
  /** One binary message. No effect once closed. */
  send(message: Uint8Array): void;
  /** Ends the connection after what was sent; a peer that does not take that is dropped soon. Idempotent. */
  close(): void;
}

export type QmuxSocketEvents = {
  message(bytes: Uint8Array): void;
  /** A text message came. */
  text(): void;
  /** A ping or pong of WebSocket came. */
  heard(): void;
  /** Something sent has gone to the network. */
  drained(): void;
  /** Once. `clean`: the peer closed the WebSocket, with a close frame. */
  ended(clean: boolean): void;
};
