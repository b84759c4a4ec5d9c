import { nodeUrl, withScheme } from '../../relay/cluster/node-url.ts';
import type { ClusterSettings } from '../../relay/cluster/start-cluster.ts';
import type { Written } from './read-toml.ts';
import { text, texts, wrong } from './values.ts';

const jwt = /^[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const mostId = 2 ** 53;
/** Of a link: many of them still add up exactly. */
const mostCost = 2 ** 32;
const fieldsOfPeer = new Set(['url', 'token', 'cost', 'egress']);

/**
 * `[cluster]` in all of moq-relay's generations: `connect` and `root` are dialled, `node` is this relay's own URL, `mesh` turns
 * discovery on or off (as a URL it is `node`). undefined: the relay is in no cluster. Throws CONFIG_INVALID.
 */
export function clusterOf(values: ReadonlyMap<string, Written>): ClusterSettings | undefined {
  const { connect, root, token, id } = named(values);
  const { node, discover } = self(values);
  const peers = [...(connect === undefined ? [] : peersOf(connect)), ...(root === undefined ? [] : peersOf(root))];
  for (const [key, written] of [
    ['cluster.token', token],
    ['cluster.id', id],
  ] as const) {
    if (written !== undefined && peers.length === 0 && node === undefined) {
      throw wrong(written.key, `is of no use without cluster.connect, cluster.root or cluster.node`, key);
    }
  }
  if (peers.length === 0 && node === undefined) return undefined;
  const authorities = values.get('connect.tls.root');
  const checks = values.get('connect.tls.insecure');
  if (checks !== undefined && typeof checks.value !== 'boolean') throw wrong(checks.key, 'is not true or false');
  return {
    connect: peers,
    ...(node !== undefined && { node }),
    discover,
    ...(token !== undefined && { token: tokenOf(token) }),
    ...(id !== undefined && { id: idOf(id) }),
    authorityFiles: authorities === undefined ? [] : texts(authorities),
    insecure: checks?.value === true,
  };
}

function named(values: ReadonlyMap<string, Written>) {
  const [connect, root, token, id] = ['connect', 'root', 'token', 'id'].map((name) => values.get(`cluster.${name}`));
  return { connect, root, token, id };
}

/** Without a word about `mesh`, a relay that says where it is wants to be found: so `node` was used until there was `mesh`. */
function self(values: ReadonlyMap<string, Written>): { node: string | undefined; discover: boolean } {
  const mesh = values.get('cluster.mesh');
  const node = values.get('cluster.node') ?? (typeof mesh?.value === 'string' ? mesh : undefined);
  const root = values.get('cluster.root');
  if (mesh?.value === true && node === undefined) throw wrong(mesh.key, 'needs cluster.node, the URL to be found at');
  if (mesh !== undefined && typeof mesh.value !== 'boolean' && mesh !== node) {
    throw wrong(mesh.key, 'cluster.node says where this relay is: true or false');
  }
  return {
    node: node === undefined ? undefined : checked(node, text(node)),
    discover: mesh?.value !== false && (node !== undefined || root !== undefined),
  };
}

/** URLs, or tables of `url`, `token` and `cost`. */
function peersOf(written: Written): string[] {
  const list: unknown[] = Array.isArray(written.value) ? written.value : [written.value];
  return list.map((each) => {
    if (typeof each === 'string') return peer(written, each);
    if (typeof each !== 'object' || each === null) throw wrong(written.key, 'is not a URL, nor a list of them');
    const { url, token, cost, egress = cost } = each as Record<string, unknown>;
    const unknown = Object.keys(each).find((name) => !fieldsOfPeer.has(name));
    if (unknown !== undefined) throw wrong(written.key, `a peer has no ${unknown}`, [...fieldsOfPeer].join(', '));
    if (typeof url !== 'string' || (token !== undefined && typeof token !== 'string')) {
      throw wrong(written.key, 'a peer has a url, and may have a token');
    }
    if (egress !== cost)
      throw wrong(written.key, 'egress is another than cost: a link costs the same in both directions');
    return peer(written, url, token as string | undefined, cost);
  });
}

function peer(written: Written, text: string, token?: string, cost?: unknown): string {
  checked(written, text);
  const url = new URL(withScheme(text));
  if (cost !== undefined) url.searchParams.set('cost', `${cost}`);
  const said = url.searchParams.get('cost');
  if (said !== null && !(/^\d{1,10}$/.test(said) && Number(said) <= mostCost)) {
    throw wrong(written.key, 'the cost of a link is a whole number from 0 to 2^32');
  }
  if (token !== undefined) url.searchParams.set('jwt', token);
  return url.toString();
}

function checked(written: Written, text: string): string {
  try {
    return nodeUrl(text);
  } catch {
    throw wrong(written.key, 'is not the URL of a relay', '"https://relay.example.com:4443/"');
  }
}

function tokenOf(written: Written): { text: string } | { file: string } {
  const given = text(written);
  return jwt.test(given) ? { text: given } : { file: given };
}

function idOf(written: Written): bigint {
  const { value } = written;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value >= mostId) {
    throw wrong(written.key, 'is not a whole number from 1 to 2^53-1');
  }
  return BigInt(value);
}
