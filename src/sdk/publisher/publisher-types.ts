import type { StreamsError } from '../../core/errors.ts';
import type { OnFault } from '../connect/report-fault.ts';
import type { ConnectTransport } from '../viewer/viewer-types.ts';

export type PublisherEndReason = 'complete' | 'auth_failed' | 'network' | 'closed_by_caller';

export type PublisherState =
  | { readonly name: 'connecting' }
  /** Connected; nobody takes the media yet, or any more. */
  | { readonly name: 'waiting' }
  | { readonly name: 'live' }
  /** The session was lost; the next attempt is made `retryInMs` from now. `attempt` counts from 1. */
  | {
      readonly name: 'reconnecting';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly error: StreamsError;
    }
  /** Final. `error` is there unless the broadcast was finished or the caller closed. */
  | { readonly name: 'ended'; readonly reason: PublisherEndReason; readonly error?: StreamsError };

export type PublisherOptions = {
  /** `https://host:port/publish/<input id>?sk=<stream key>`, or who is asked for it before every connection attempt. */
  url: string | (() => Promise<string>);
  /** Default: `browserConnector()`. */
  connect?: ConnectTransport;
  /** `write` holds each access unit until its time has come, as if it were live: for files. */
  realtime?: boolean;
  /** Called synchronously, in order; must not throw. */
  onState?(state: PublisherState): void;
  /** Connection attempts in a row without a session before it ends with `network`. Default: no limit. */
  maxAttempts?: number;
  /** One connection attempt, with both SETUPs, ms. Default 10 000. */
  connectTimeoutMs?: number;
  /** Default: the global `reportError`, where there is one. */
  onFault?: OnFault;
};

export type PublisherStats = {
  /** Fragments handed to the broadcast, and their bytes. */
  readonly fragments: number;
  readonly bytes: number;
  /**
   * Objects that the line was too slow for, or that came while there was no connection: of a group what is not through a second after the
   * next one began. Sound goes first.
   */
  readonly dropped: number;
  /** Sessions opened after the first. */
  readonly reconnects: number;
};

/** One CMAF track of a broadcast. */
export interface PublisherTrack {
  readonly name: string;
  /** One moof+mdat, its first sample a keyframe where a group of video is to begin. Throws MALFORMED. */
  push(fragment: Uint8Array): void;
}
