/** How much an end may have under way. `bbr` goes by the rate that arrives, `cubic` and `newreno` by what is lost. */
export const congestionControls = ['bbr', 'cubic', 'newreno'] as const;
export type CongestionControl = (typeof congestionControls)[number];

/** The native module (native/src/lib.rs): handles and codes are whole numbers below 2^53, times milliseconds. */
export type NativeModule = { QuicSocket: new (wakeup: () => void, workers: number) => NativeSocket };

export type NativeLimits = {
  idleTimeoutMs: number;
  /** 0: none. */
  keepAliveMs: number;
  maxIncomingUni: number;
  maxIncomingBidi: number;
  streamReceiveWindow: number;
  connectionReceiveWindow: number;
  streamHighWaterBytes: number;
  congestionControl: CongestionControl;
};

export type NativeListenOptions = {
  ip: string;
  port: number;
  alpn: string[];
  certificatePem: string;
  privateKeyPem: string;
  maxConnections: number;
  handshakeTimeoutMs: number;
  retryAboveHandshakes: number;
  /** 64 bytes. */
  resetKey?: Uint8Array;
  limits: NativeLimits;
};

export type NativeConnectOptions = {
  ip: string;
  port: number;
  serverName: string;
  alpn: string[];
  trust: 'roots' | 'hashes' | 'insecure';
  caPem?: string;
  hashes: Uint8Array[];
  timeoutMs: number;
  limits: NativeLimits;
};

export type NativeServerCounters = {
  open: number;
  handshaking: number;
  refused: number;
  failed: number;
  retried: number;
};

export type NativeCounters = { servers: number; connections: number; sends: number; receives: number };

/** Commands never wait for the network; one on a handle that is gone does nothing. What happens comes from `take()`. */
export interface NativeSocket {
  take(): Uint8Array;
  /** Throws; the message is EADDRINUSE when the port is taken. */
  listen(options: NativeListenOptions): { handle: number; port: number };
  setCertificate(server: number, alpn: string[], certificatePem: string, privateKeyPem: string): void;
  closeServer(server: number, code: number, reason: string): void;
  serverCounters(server: number): NativeServerCounters | null;
  connect(options: NativeConnectOptions): number;
  close(connection: number, code: number, reason: string): void;
  /** One-way and two-way streams that the peer may have open. */
  allowStreams(connection: number, uni: number, bidi: number): void;
  /** rtt in ms, cwnd, bytes sent, bytes received, packets lost, packets sent, path MTU; empty once closed. */
  stats(connection: number): number[];
  /** 0 when the connection is gone. `head` leaves with what is written first. */
  open(connection: number, bidirectional: boolean, priority: number, head?: Uint8Array): number;
  write(stream: number, bytes: Uint8Array): boolean;
  writeMany(streams: Float64Array, bytes: Uint8Array): Uint8Array;
  writable(stream: number): boolean;
  queued(stream: number): number;
  finish(stream: number): void;
  reset(stream: number, code: number): void;
  setPriority(stream: number, priority: number): void;
  giveCredit(stream: number, bytes: number): void;
  stop(stream: number, code: number): void;
  sendDatagram(connection: number, bytes: Uint8Array): boolean;
  counters(): NativeCounters;
}
