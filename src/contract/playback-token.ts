/**
 * Playback tokens (JWT) as control makes them, and relay and engine check them. Checking signatures and revocations is in
 * src/access.
 */

/** `aud` of every playback token. */
export const playbackAudience = 'streams-playback';

/** Claims of a playback token; times are Unix seconds. */
export type PlaybackClaims = {
  readonly iss: string;
  readonly aud: typeof playbackAudience;
  /** Who watches. */
  readonly sub?: string;
  /** Exact namespaces, e.g. `stream/org_local/lv_…`. */
  readonly ns: readonly string[];
  readonly jti?: string;
  readonly iat?: number;
  readonly nbf?: number;
  readonly exp: number;
  /** The only media tracks it opens; absent: all. */
  readonly tracks?: readonly string[];
  /** Addresses or CIDR ranges it works from; absent: any. */
  readonly addresses?: readonly string[];
  /** Origins of web pages it works on; absent: any. */
  readonly origins?: readonly string[];
  /** It opens one session. */
  readonly once?: boolean;
};

export const playbackTokenLimits = {
  shortestSeconds: 30,
  longestSeconds: 24 * 3600,
  defaultSeconds: 3600,
  /** Clocks of two machines may differ by this much. */
  skewSeconds: 5,
  /** From being issued to being good. */
  headStartSeconds: 7 * 24 * 3600,
  maxLength: 8192,
} as const;

/** Returns whole seconds within the limits; the default when none are given. */
export function clampLifetime(seconds: number | undefined): number {
  const { shortestSeconds, longestSeconds, defaultSeconds } = playbackTokenLimits;
  if (seconds === undefined) return defaultSeconds;
  return Math.min(longestSeconds, Math.max(shortestSeconds, Math.floor(seconds)));
}
