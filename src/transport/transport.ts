import type { StreamsError } from '../core/errors.ts';

/**
 * The one interface of every socket in the house: raw QUIC (`quic`), WebTransport over any transport that speaks h3
 * (`webtransport`), QMux over WebSocket, the browser's own WebTransport, and memory. It has the shape of the W3C
 * WebTransport (streams, datagrams, codes) without WHATWG streams: those cost more than the packet.
 *
 * Codes: QUIC application codes up to 2^53-1 as `number`. On WebTransport they are the 32-bit application codes.
 * Nothing here ever blocks the event loop and nothing throws for what the peer does, except where a docstring says so.
 */
export interface Transport {
  readonly kind: 'quic' | 'webtransport' | 'qmux' | 'browser' | 'memory';
  /** Negotiated subprotocol: ALPN on raw QUIC, WT-Protocol on WebTransport; '' when none was negotiated. */
  readonly protocol: string;
  /** Path and query the client asked for (`/playback/lv_…?tok=…`); '' on raw QUIC, where MoQT SETUP carries it. Never log the query. */
  readonly path: string;
  /** `address:port` of the peer; '' where unknown. */
  readonly remoteAddress: string;
  /** Origin header of the web page that connected (RFC 6454); absent where it is no page, or at the client's end. */
  readonly origin?: string;
  /** Settles once, never rejects. */
  readonly closed: Promise<TransportClose>;

  /** Opens at once; bytes wait inside while the peer's stream credit is used up. */
  openUni(options?: OpenUniOptions): SendStream;
  openBidi(options?: OpenOptions): BidiStream;
  /**
   * Next stream of the peer, in the order they arrived; null once the transport is closed. One pending call at a time. Our half of a
   * two-way stream has the priority of answers to requests from the start.
   */
  acceptUni(): Promise<ReceiveStream | null>;
  acceptBidi(): Promise<BidiStream | null>;
  /** false when it was dropped (too large, or the queue is full): datagrams are unreliable anyway. */
  sendDatagram(bytes: Uint8Array): boolean;
  receiveDatagram(): Promise<Uint8Array | null>;
  /** From now on what the peer opens and sends goes to `taker`, and to nobody who accepts: see taken.ts. */
  deliverTo?(taker: TransportTaker): void;
  /** Lets the peer have so many streams open at a time from now on, where that can be changed. */
  allowStreams?(most: { uni: number; bidi: number }): void;
  /** Idempotent. Streams still open are reset; peers see the code and reason. */
  close(close: { code: number; reason: string }): void;
  stats(): TransportStats;
}

/** Takes at once what a peer opens and sends. Must not throw. */
export interface TransportTaker {
  uni(stream: ReceiveStream): void;
  bidi(stream: BidiStream): void;
  datagram(bytes: Uint8Array): void;
}

export type OpenOptions = {
  /** Higher is sent first, within 31 bits; default 0. The order of them all: core/send-order.ts. */
  priority?: number;
};

export type OpenUniOptions = OpenOptions & {
  /** The first bytes. They may wait for what is written next, to travel with it. */
  head?: Uint8Array;
};

export type TransportClose = {
  /** `transport`: idle timeout, TLS failure, lost socket. */
  by: 'local' | 'peer' | 'transport';
  code: number;
  reason: string;
};

export type TransportStats = {
  rttMs: number;
  cwnd: number;
  bytesSent: number;
  bytesReceived: number;
  packetsLost: number;
};

export interface SendStream {
  /** Identifier unique in its transport. */
  readonly id: number;
  /**
   * Takes all of `bytes` (which the caller must not change afterwards) or nothing. false: the stream's queue is over its
   * high-water mark (or the stream is finished, reset or stopped) and nothing was taken; `writable()` tells when to retry.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes accepted and not yet handed to the network. */
  readonly queuedBytes: number;
  /** Resolves when `write` would take bytes again, or the stream ended; never rejects. */
  writable(): Promise<void>;
  /** FIN after what is queued. Idempotent. */
  finish(): void;
  /** RESET_STREAM: what is queued is thrown away. Idempotent, no effect after everything was acknowledged. */
  reset(code: number): void;
  setPriority(priority: number): void;
  /** Resolves with the code when the peer sent STOP_SENDING (or null when the stream ended another way); never rejects. */
  readonly stopped: Promise<number | null>;
  /** The same as `stopped`, at once and without a promise: for the streams of groups, of which there are many. One listener. */
  onEnd(listener: EndListener): void;
  /** For the one-to-many write: the socket that owns the stream, by its id. See fan-out.ts. */
  readonly fanOut?: FanOutWriter | undefined;
}

export interface EndListener {
  /** The peer sent STOP_SENDING with this code; null: everything was acknowledged, or the stream ended another way. */
  streamEnded(code: number | null): void;
}

/** One payload to many streams of one socket in one call; result[i] is 1 where `write` would have answered true. */
export interface FanOutWriter {
  writeMany(ids: readonly number[], bytes: Uint8Array): Uint8Array;
}

export interface ReceiveStream {
  readonly id: number;
  /** Next bytes in order (a view the reader owns); null at FIN. Throws StreamsError STREAM_RESET (`StreamResetError`) or TRANSPORT_CLOSED. */
  read(): Promise<Uint8Array | null>;
  /** From now on everything goes to `taker`, and `read` is of no use: see taken.ts. */
  deliverTo?(taker: StreamTaker): void;
  /** STOP_SENDING; pending and later reads answer null. Idempotent. */
  stop(code: number): void;
}

/** Takes what comes on a stream as it comes. Must not throw. */
export interface StreamTaker {
  /** Next bytes in order: a view that the taker owns. */
  bytes(chunk: Uint8Array): void;
  /** The last call. undefined: FIN, or `stop` (never within that call); otherwise what `read` would have thrown. */
  end(error: StreamsError | undefined): void;
}

export type BidiStream = { readonly send: SendStream; readonly receive: ReceiveStream };

/** Something that accepts transports. */
export interface Listener {
  /** UDP (or TCP) port really bound. */
  readonly port: number;
  /** Next session; null once closed. */
  accept(): Promise<Transport | null>;
  close(): Promise<void>;
}
