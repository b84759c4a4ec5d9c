import type { Kysely } from 'kysely';
import type { AssetState } from '../../contract/asset-state.ts';
import type { EventType } from './event-types.ts';

/**
 * The rows. Plain on purpose, so that every SQL dialect holds them alike: times are whole milliseconds since the Unix epoch,
 * JSON is text, there are no booleans.
 */
export type Tables = {
  meta: { key: string; value: string };
  orgs: { id: string; name: string; created_at: number };
  /** How much an org may have, where it is not the default. */
  quotas: { org_id: string; name: string; value: number };
  live_inputs: LiveInputRow;
  stream_keys: StreamKeyRow;
  signing_keys: SigningKeyRow;
  api_keys: ApiKeyRow;
  /** Engines that ever sent a heartbeat. */
  engines: { id: string; last_heartbeat_at: number };
  audit_log: AuditRow;
  revocations: RevocationRow;
  idempotency_keys: IdempotencyRow;
  webhooks: WebhookRow;
  /** What webhooks are told of; only kept when one wants it. */
  events: { id: string; org_id: string; type: EventType; data: string; at: number };
  webhook_deliveries: DeliveryRow;
  assets: AssetRow;
  broadcast_sessions: BroadcastSessionRow;
  viewer_sessions: ViewerSessionRow;
  player_events: PlayerEventRow;
  /** One-time tokens that were used, and SRT handshakes. */
  redeemed_tokens: { org_id: string; jti: string; expires_at: number };
  /** Of limits that processes share. `full_at`: when nothing counts against `whom` any more. */
  rate_limits: { name: string; whom: string; full_at: number };
};

export type IngestKind = 'rtmp' | 'srt' | 'whip' | 'fmp4';
export type InputStatus = 'idle' | 'live' | 'errored';

export type LiveInputRow = {
  id: string;
  org_id: string;
  /** The caller's own name for it, unique within the org. */
  external_input_id: string | null;
  name: string;
  ingest: IngestKind;
  status: InputStatus;
  /** The engine that holds the input: while it is live, and a moment before. */
  engine_id: string | null;
  /** No other engine may take what MoQT publishers bring until then; each heartbeat moves it on. */
  claimed_until: number | null;
  status_changed_at: number;
  created_at: number;
  updated_at: number;
  /** Since when it refuses publishers; null while it takes them. */
  disabled_at: number | null;
  /** Why the engine gave up on it, while the status is `errored`. */
  error_reason: string | null;
  /** JSON object: what the engine measured last, and when it said so. */
  ingest_stats: string | null;
  ingest_stats_at: number | null;
  /** 1: each broadcast becomes an asset. */
  record: number;
  /** Renditions, as `parseLadder` reads them. */
  ladder: string;
};

/** `hash` is the SHA-256 of the cleartext in hexadecimal; the cleartext is nowhere. */
export type StreamKeyRow = {
  hash: string;
  input_id: string;
  created_at: number;
  /** From when on it opens nothing; in the future while a rotation overlaps. */
  revoked_at: number | null;
};

export type SigningAlg = 'Ed25519' | 'RS256';

export type SigningKeyRow = {
  /** The JWT `kid`. */
  kid: string;
  org_id: string;
  alg: SigningAlg;
  use: 'playback';
  status: 'active' | 'inactive';
  public_key_pem: string;
  /** PKCS #8 PEM, sealed under the master key; empty for an imported key. */
  private_key_sealed: string;
  created_at: number;
  /** When its tokens stop working; in the future during a rotation. */
  deactivated_at: number | null;
};

export type ApiKeyRow = {
  id: string;
  org_id: string;
  name: string;
  hash: string;
  /** JSON array of scopes. */
  scopes: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  /** Kept to the minute, so that reading does not become writing. */
  last_used_at: number | null;
};

export type AuditRow = {
  id: string;
  org_id: string;
  at: number;
  /** The id of the API key that did it, or `system`. */
  actor: string;
  action: string;
  /** The id of what was written. */
  target: string;
  request_id: string | null;
};

export type AssetRow = {
  id: string;
  org_id: string;
  /** Names it to viewers. */
  playback_id: string;
  /** The caller's own name for it, unique within the org. */
  external_asset_id: string | null;
  /** The live input it was recorded from. */
  input_id: string | null;
  name: string;
  status: AssetState;
  percent: number;
  error_reason: string | null;
  duration_ms: number | null;
  bytes: number | null;
  /** Bytes that its unfinished upload will have. */
  promised_bytes: number | null;
  created_at: number;
  updated_at: number;
};

/** One publisher's session on a relay, as the relay reports it. */
export type BroadcastSessionRow = {
  id: string;
  org_id: string;
  input_id: string;
  /** The relay. */
  node: string;
  started_at: number;
  ended_at: number | null;
  /** Of the figures. */
  updated_at: number;
  bytes: number;
  objects: number;
  reason: string | null;
  /** quic, webtransport or websocket; null, as `version`: of before these were told. */
  transport: string | null;
  /** MoQT version, e.g. `moqt-18`. */
  version: string | null;
};

export type ViewerSessionRow = BroadcastSessionRow & {
  /** `sub` of the token. */
  viewer: string;
  startup_ms: number | null;
  /** Objects. */
  dropped: number;
  groups_dropped: number;
};

export type PlayerEventRow = {
  org_id: string;
  /** The sender's. */
  id: string;
  type: string;
  at: number;
  input_id: string | null;
  viewer: string | null;
  /** JSON object. */
  data: string;
};

export type WebhookRow = {
  id: string;
  org_id: string;
  url: string;
  /** JSON array of event types. */
  events: string;
  /** Sealed under the master key: it is needed to sign. */
  secret_sealed: string;
  created_at: number;
  /** When the first of the attempts failed that all failed since; null after one that did not. */
  failing_since: number | null;
  /** Attempts that failed since then. */
  failures: number;
  /** Since when nothing is sent to it, for it failed for too long. */
  disabled_at: number | null;
};

export type DeliveryRow = {
  id: string;
  webhook_id: string;
  event_id: string;
  status: 'pending' | 'delivered' | 'failed';
  attempts: number;
  next_attempt_at: number;
  /** A process is at it until then. */
  claimed_until: number;
  /** Of the last attempt. */
  response_status: number | null;
  error: string | null;
  created_at: number;
  delivered_at: number | null;
};

/** An answered request, for a client that did not hear the answer. */
export type IdempotencyRow = {
  org_id: string;
  key: string;
  /** SHA-256 of the operation and its input. */
  request_hash: string;
  /** JSON, sealed under the master key: it may hold a cleartext that is shown once. */
  answer_sealed: string;
  created_at: number;
};

/** `publish`: sessions that publish to the input; the others: playback tokens by id, subject, or what they open. */
export type RevocationKind = 'jti' | 'viewer' | 'input' | 'publish';

export type RevocationRow = {
  id: string;
  org_id: string;
  kind: RevocationKind;
  value: string;
  at: number;
  /** No token that was issued before `at` is good any more. */
  expires_at: number;
};

/** The store as operations see it: the same type inside and outside a transaction. */
export type Db = Kysely<Tables>;
