import type { Catalog } from '../../codec/catalog/streams-catalog.ts';
import type { StreamsError } from '../../core/errors.ts';
import type { Transport } from '../../transport/transport.ts';
import type { OnFault } from '../connect/report-fault.ts';

/**
 * Opens a WebTransport-like connection to `url` (the token in its query is a secret: never log it). Rejects with
 * StreamsError RELAY_UNREACHABLE, TOKEN_*, UNSUPPORTED or TIMEOUT; stops trying when `signal` aborts.
 */
export type ConnectTransport = (
  url: string,
  options: {
    signal: AbortSignal;
    /** Only by what is better than WebSocket (kind `qmux`), which is in use and works. */
    better?: boolean;
  },
) => Promise<Transport>;

/** One whole object of a media track: object 0 of a group is the init segment (ftyp+moov), the others one CMAF fragment each. */
export type ViewerObject = {
  readonly track: string;
  readonly kind: 'video' | 'audio';
  readonly groupId: number;
  readonly objectId: number;
  readonly payload: Uint8Array;
  /** ms since the Unix epoch, on this machine's clock. */
  readonly receivedAt: number;
  /** From the arrival of the access unit at the ingest (`prft`) to `receivedAt`; absent on init segments and without `prft`. */
  readonly latencyMs?: number;
};

/** Groups `fromGroup` to `toGroup` (inclusive) of a track were not, or not wholly, delivered. */
export type ViewerGap = {
  readonly track: string;
  readonly fromGroup: number;
  readonly toGroup: number;
  /**
   * `stalled`: a newer group came while this one hung; `reset`: the relay gave the rest of a group up; `missing`: groups
   * that never came; `reconnected`: they passed while no session was open.
   */
  readonly reason: 'stalled' | 'reset' | 'missing' | 'reconnected';
};

export type ViewerEndReason = 'complete' | 'finished' | 'auth_failed' | 'network' | 'closed_by_caller';

export type ViewerState =
  | { readonly name: 'connecting' }
  /** Connected, and the input is off air: starts by itself when it goes live. */
  | { readonly name: 'waiting' }
  | { readonly name: 'playing' }
  /** It was playing, and nothing has come for a second. Another way to the relay is looked for. */
  | { readonly name: 'stalled' }
  /** The session was lost; the next attempt is made `retryInMs` from now. `attempt` counts from 1. */
  | {
      readonly name: 'reconnecting';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly error: StreamsError;
    }
  /** Final. `error` is there unless the broadcast ended or the caller closed. */
  | { readonly name: 'ended'; readonly reason: ViewerEndReason; readonly error?: StreamsError };

/** Called synchronously, in order; they must not throw. */
export type ViewerListener = {
  onState?(state: ViewerState): void;
  onCatalog?(catalog: Catalog): void;
  onObject?(object: ViewerObject): void;
  onGap?(gap: ViewerGap): void;
};

export type ViewerOptions = ViewerListener & {
  /** `https://host:port/playback/<id>?tok=<jwt>`, or who is asked for it before every connection attempt. */
  url: string | (() => Promise<string>);
  /** Default: `browserConnector()`: the browser's WebTransport, or WebSocket where that does not come through. */
  connect?: ConnectTransport;
  /** Default: the first `ns` claim of the token. */
  namespace?: readonly string[];
  /** Names of the tracks to follow. Default: the tallest video and the first audio. */
  selectTracks?(catalog: Catalog): readonly string[];
  /** Asked for a new token once the current one is refused as expired, or is about to expire before a connection. */
  refreshToken?(): Promise<string>;
  /** Connection attempts in a row without a session before the viewer ends with `network`. Default: no limit. */
  maxAttempts?: number;
  /** How long the relay holds each subscription for an input that is not live, ms. Default 30 000; asked again for ever. */
  rendezvousMs?: number;
  /** A group that delivers nothing for this long, while a newer one exists, is given up, ms. Default 300. */
  stallMs?: number;
  /**
   * How long the relay goes on sending what is left of a group when the next one is there, ms (SUBGROUP_DELIVERY_TIMEOUT). Default: the
   * relay's, 1000 with ours. A recording may wait longer.
   */
  maxLateMs?: number;
  /** One connection attempt, with both SETUPs, ms. Default 10 000. */
  connectTimeoutMs?: number;
  /** Default: the global `reportError`, where there is one. */
  onFault?: OnFault;
};

export type ViewerTrackStats = {
  readonly groups: number;
  readonly objects: number;
  /** Payload bytes. */
  readonly bytes: number;
  readonly gaps: number;
  /** Of the last media object. */
  readonly latencyMs?: number;
};

export type ViewerStats = {
  /** From the start of the connection that led to it to the first media object, ms. */
  readonly joinMs?: number;
  /** By what the newest session goes; undefined before the first. */
  readonly transport?: Transport['kind'];
  /** Sessions opened after the first. */
  readonly reconnects: number;
  readonly tracks: Readonly<Record<string, ViewerTrackStats>>;
};

/**
 * Follows one broadcast over MoQT until it ends, the token is refused, or it is closed; recovers from everything else.
 * Objects of a track come in order and never go back to an older group. `class BroadcastViewer implements Viewer` with
 * `constructor(options: ViewerOptions)` connects on the next microtask.
 */
export interface Viewer {
  readonly state: ViewerState;
  readonly catalog: Catalog | undefined;
  readonly stats: ViewerStats;
  /** Settles once with the final state, never rejects. */
  readonly ended: Promise<Extract<ViewerState, { name: 'ended' }>>;
  /** Returns the way to stop listening. */
  listen(listener: ViewerListener): () => void;
  /** From now on these tracks are followed, where the catalog has them; undefined: as the options say. */
  select(tracks: readonly string[] | undefined): void;
  /** Ends with `closed_by_caller`; resolves when the connection is closed. Idempotent. */
  close(): Promise<void>;
}
