/** What a key of relay.toml is to us: read, of no effect here, or refused because leaving it out would be wrong. */
export type KeyUse = { readonly use: 'read' | 'none' } | { readonly use: 'refused'; readonly why: string };

const refused = (why: string): KeyUse => ({ use: 'refused', why });
const clientCertificates = refused('client certificates are not supported; tokens are');
const plainStreams = refused('plain TCP and Unix sockets are not supported; QUIC, WebTransport and WebSocket are');
const foreignAuth = refused('this older form of an auth server is not supported; auth.url, keys and public paths are');

/**
 * moq-relay's keys in the newest names; `renamed` leads there from the older ones. A key that ends with `.*` stands for all
 * below it.
 */
export const knownKeys: Readonly<Record<string, KeyUse>> = {
  'listen.bind': { use: 'read' },
  'listen.version': { use: 'read' },
  'listen.timeout': { use: 'read' },
  'listen.tls.cert': { use: 'read' },
  'listen.tls.key': { use: 'read' },
  'listen.tls.generate': { use: 'read' },
  'listen.tls.root': clientCertificates,
  'listen.tcp.*': plainStreams,
  'listen.unix.*': plainStreams,
  'listen.quic.*': { use: 'none' },
  'listen.backend': { use: 'none' },
  'listen.max_streams': { use: 'none' },
  'listen.quic_lb_id': { use: 'none' },
  'listen.quic_lb_nonce': { use: 'none' },
  'listen.preferred_v4': { use: 'none' },
  'listen.preferred_v6': { use: 'none' },
  'connect.tls.root': { use: 'read' },
  'connect.tls.insecure': { use: 'read' },
  'connect.*': { use: 'none' },
  'quic.*': { use: 'none' },
  'web.http.listen': { use: 'read' },
  'web.https.listen': { use: 'read' },
  'web.https.cert': { use: 'read' },
  'web.https.key': { use: 'read' },
  'web.https.root': clientCertificates,
  'web.ws': { use: 'none' },
  'internal.listen': { use: 'read' },
  'auth.key': { use: 'read' },
  'auth.key_dir': { use: 'read' },
  'auth.public': { use: 'read' },
  'auth.public.subscribe': { use: 'read' },
  'auth.public.publish': { use: 'read' },
  'auth.public.api': foreignAuth,
  'auth.url': { use: 'read' },
  'auth.auth_api': foreignAuth,
  'auth.domains': refused('host names as paths are not supported'),
  'auth.mtls_tier': { use: 'none' },
  'auth.tls.*': { use: 'none' },
  'cluster.connect': { use: 'read' },
  'cluster.connect_api': refused(
    'a list of peers that is fetched is not supported; cluster.connect and cluster.node are',
  ),
  'cluster.node': { use: 'read' },
  'cluster.root': { use: 'read' },
  'cluster.token': { use: 'read' },
  'cluster.mesh': { use: 'read' },
  'cluster.id': { use: 'read' },
  'cluster.lan.*': refused('discovery by mDNS is not supported; cluster.node and cluster.root are'),
  'cluster.max_hops': { use: 'none' },
  'cluster.tier': { use: 'none' },
  'cluster.linger': { use: 'none' },
  'log.level': { use: 'read' },
  'cache.capacity': { use: 'read' },
  'cache.duration': { use: 'read' },
  'cache.headroom': { use: 'none' },
  'stats.*': { use: 'none' },
  'runtime.*': { use: 'none' },
  'iroh.*': { use: 'none' },
  drain_timeout: { use: 'read' },
  /** Ours alone. */
  drain_to: { use: 'read' },
  congestion_control: { use: 'read' },
};

/** Older names, which mean the same. */
const renames: readonly (readonly [older: RegExp, newer: string])[] = [
  [/^server\./, 'listen.'],
  [/^client\./, 'connect.'],
  [/^connect\.tls\.disable_verify$/, 'connect.tls.insecure'],
  [/^cluster\.advertise$/, 'cluster.node'],
  [/^listen\.listen$/, 'listen.bind'],
  [/^(web\.https?|internal)\.bind$/, '$1.listen'],
  [/^auth\.public_(subscribe|publish|api)$/, 'auth.public.$1'],
  [/^auth\.domain$/, 'auth.domains'],
];

export function renamed(key: string): string {
  return renames.reduce((name, [older, newer]) => name.replace(older, newer), key);
}

/** `key` in its newest name; undefined: moq-relay has no such key. */
export function useOf(key: string): KeyUse | undefined {
  if (Object.hasOwn(knownKeys, key)) return knownKeys[key];
  for (let end = key.lastIndexOf('.'); end > 0; end = key.lastIndexOf('.', end - 1)) {
    const all = knownKeys[`${key.slice(0, end)}.*`];
    if (all !== undefined) return all;
  }
  return undefined;
}

/** As users may write them, for the nearest one to a typo. */
export const writtenKeys: readonly string[] = [
  ...Object.keys(knownKeys).filter((key) => !key.endsWith('*')),
  'server.listen',
  'server.bind',
  'server.version',
  'server.tls.cert',
  'server.tls.key',
  'server.tls.generate',
  'client.tls.disable_verify',
];
