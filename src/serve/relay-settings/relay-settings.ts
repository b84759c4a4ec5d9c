import type { NamespacePattern } from '../../access/pattern.ts';
import { parsePattern, parsePrefix } from '../../access/relay-token/paths.ts';
import { StreamsError } from '../../core/errors.ts';
import type { ClusterSettings } from '../../relay/cluster/start-cluster.ts';
import type { RelayLimits } from '../../relay/limits.ts';
import type { ListenAddress } from '../../relay/start-relay.ts';
import type { CongestionControl } from '../../transport/quic/native-types.ts';
import { clusterOf } from './cluster.ts';
import { type ReadKeys, readToml, type Written } from './read-toml.ts';
import { address, bytes, congestionControl, milliseconds, oneText, relayUrl, text, texts, wrong } from './values.ts';

type Files = { readonly certificateFile: string; readonly keyFile: string };

/** A relay that runs alone, as its relay.toml and flags say. */
export type RelaySettings = {
  readonly listen: ListenAddress;
  readonly versions?: readonly string[];
  readonly tls?: Files;
  /** Names of the generated certificate. */
  readonly certificateHosts: readonly string[];
  /** undefined: the TCP port of the same number; null: nowhere. */
  readonly http: ListenAddress | null | undefined;
  readonly https?: ListenAddress & { readonly tls: Files };
  readonly internal: ListenAddress | null;
  /** A file or URL. */
  readonly keys?: { readonly file: string } | { readonly folder: string };
  /** An auth server that decides alone. */
  readonly authUrl?: string;
  readonly anonymous: {
    readonly publish: readonly NamespacePattern[];
    readonly subscribe: readonly NamespacePattern[];
  };
  readonly cluster?: ClusterSettings;
  readonly logLevel: LogLevel;
  /** How long sessions may take to leave when the relay is told to stop. */
  readonly drainMs: number;
  /** The relay that they are sent to. */
  readonly drainTo?: string;
  readonly limits: Partial<RelayLimits>;
  readonly congestionControl?: CongestionControl;
  /** Keys that were given and have no effect here. */
  readonly ignored: readonly string[];
};

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What stands in the command line instead of, or beside, the file. */
export type RelayFlags = {
  readonly listen?: string;
  /** MoQT versions, best first. */
  readonly versions?: readonly string[];
  readonly tlsGenerate?: readonly string[];
  readonly authKey?: string;
  readonly authPublic?: readonly string[];
  /** Publishers and viewers at once. */
  readonly maxSessions?: number;
  readonly drainTo?: string;
  readonly congestionControl?: CongestionControl;
};

/**
 * Reads a relay.toml (`file`: its text and name) in either generation of moq-relay's keys; flags win. Throws CONFIG_INVALID
 * and UNSUPPORTED, naming the key.
 */
export function relaySettings(file: { text: string; name: string } | undefined, flags: RelayFlags = {}): RelaySettings {
  const { values: written, ignored }: ReadKeys =
    file === undefined ? { values: new Map(), ignored: [] } : readToml(file.text, file.name);
  const values = new Map(written);
  apply(values, flags);
  const given = <T>(key: string, read: (written: Written) => T): T | undefined => {
    const value = values.get(key);
    return value === undefined ? undefined : read(value);
  };

  const versions = given('listen.version', texts)?.map((name) => name.replace(/^moq-transport-/, 'moqt-'));
  const tls = pair(values, 'listen.tls.cert', 'listen.tls.key');
  const generate = given('listen.tls.generate', texts);
  if (tls !== undefined && generate !== undefined) {
    throw wrong(values.get('listen.tls.generate')!.key, 'not together with certificate files');
  }
  const http = given('web.http.listen', address);
  const https = httpsOf(values);
  const keys = keysOf(values);
  const anonymous = { publish: patterns(values, 'publish'), subscribe: patterns(values, 'subscribe') };
  const authUrl = given('auth.url', text);
  if (authUrl !== undefined && (keys !== undefined || anonymous.publish.length + anonymous.subscribe.length > 0)) {
    throw wrong('auth.url', 'the auth server decides alone: not together with a key or public paths');
  }
  if (authUrl === undefined && keys === undefined && anonymous.publish.length + anonymous.subscribe.length === 0) {
    throw new StreamsError('CONFIG_INVALID', 'nobody could use this relay: auth has no key, url or public path', {
      hint: 'auth.key = "root.jwk" or auth.public = "anon"; for development --auth-public \'\'',
    });
  }
  const cluster = clusterOf(values);
  const handshakeMs = given('listen.timeout', milliseconds);
  if (handshakeMs === 0) {
    throw wrong(values.get('listen.timeout')!.key, 'cannot be 0: who says nothing would stay for ever', '"10s"');
  }
  const drainTo = given('drain_to', relayUrl);
  const control = given('congestion_control', congestionControl);
  const cacheBytes = given('cache.capacity', bytes);
  const cacheAgeMs = given('cache.duration', milliseconds);
  return {
    listen: given('listen.bind', address) ?? { host: '127.0.0.1', port: 4443 },
    ...(versions !== undefined && { versions }),
    ...(tls !== undefined && { tls }),
    certificateHosts: generate ?? [],
    http: http ?? (https === undefined ? undefined : null),
    ...(https !== undefined && { https }),
    internal: given('internal.listen', address) ?? null,
    ...(keys !== undefined && { keys }),
    ...(authUrl !== undefined && { authUrl }),
    anonymous,
    ...(cluster !== undefined && { cluster }),
    drainMs: given('drain_timeout', milliseconds) ?? 10_000,
    ...(drainTo !== undefined && { drainTo }),
    logLevel: given('log.level', level) ?? 'info',
    limits: {
      ...(handshakeMs !== undefined && { handshakeMs }),
      ...(cacheBytes !== undefined && { cacheBytes }),
      ...(cacheAgeMs !== undefined && { cacheAgeMs }),
      ...(flags.maxSessions !== undefined && { maxSessions: flags.maxSessions }),
    },
    ...(control !== undefined && { congestionControl: control }),
    ignored,
  };
}

function apply(values: Map<string, Written>, flags: RelayFlags): void {
  const { listen, versions, tlsGenerate, authKey, authPublic, drainTo, congestionControl: control } = flags;
  if (control !== undefined) values.set('congestion_control', { key: '--congestion-control', value: control });
  if (drainTo !== undefined) values.set('drain_to', { key: '--drain-to', value: drainTo });
  if (versions !== undefined) values.set('listen.version', { key: '--versions', value: versions });
  if (listen !== undefined) values.set('listen.bind', { key: '--listen', value: listen });
  if (tlsGenerate !== undefined) {
    for (const key of ['listen.tls.cert', 'listen.tls.key']) values.delete(key);
    values.set('listen.tls.generate', { key: '--tls-generate', value: tlsGenerate });
  }
  if (authKey !== undefined) {
    values.delete('auth.key_dir');
    values.set('auth.key', { key: '--auth-key', value: authKey });
  }
  if (authPublic !== undefined) {
    for (const key of ['auth.public.publish', 'auth.public.subscribe']) values.delete(key);
    values.set('auth.public', { key: '--auth-public', value: authPublic });
  }
}

function pair(values: ReadonlyMap<string, Written>, certificate: string, key: string): Files | undefined {
  const [cert, secret] = [values.get(certificate), values.get(key)];
  if (cert === undefined && secret === undefined) return undefined;
  if (cert === undefined || secret === undefined) throw wrong((cert ?? secret)!.key, 'certificate and key go together');
  return { certificateFile: oneText(cert), keyFile: oneText(secret) };
}

function httpsOf(values: ReadonlyMap<string, Written>): (ListenAddress & { tls: Files }) | undefined {
  const tls = pair(values, 'web.https.cert', 'web.https.key');
  const listen = values.get('web.https.listen');
  if (listen === undefined) return undefined;
  if (tls === undefined) throw wrong(listen.key, 'needs web.https.cert and web.https.key');
  return { ...address(listen), tls };
}

function keysOf(values: ReadonlyMap<string, Written>): RelaySettings['keys'] {
  const [key, folder] = [values.get('auth.key'), values.get('auth.key_dir')];
  if (key !== undefined && folder !== undefined) throw wrong(folder.key, `not together with ${key.key}`);
  if (key !== undefined) return { file: text(key) };
  return folder === undefined ? undefined : { folder: text(folder) };
}

/** A path with an asterisk is a pattern (`anon/**`), one without is a prefix: the two generations of moq-relay. */
function patterns(values: ReadonlyMap<string, Written>, role: 'publish' | 'subscribe'): NamespacePattern[] {
  return ['auth.public', `auth.public.${role}`].flatMap((name) => {
    const written = values.get(name);
    if (written === undefined) return [];
    return texts(written).map((path) => {
      try {
        return path.includes('*') ? parsePattern([], path) : parsePrefix([], path);
      } catch (error) {
        throw wrong(written.key, error instanceof Error ? error.message : 'is no path');
      }
    });
  });
}

function level(written: Written): LogLevel {
  const given = text(written).toLowerCase();
  if (given === 'trace') return 'debug';
  const known = logLevels.find((each) => each === given);
  if (known === undefined) throw wrong(written.key, `"${given}" is not a level`, logLevels.join(' | '));
  return known;
}
