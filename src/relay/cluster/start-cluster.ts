import { readFile } from 'node:fs/promises';
import { dialectFor, dialects } from '../../codec/moqt/dialects.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { connect, type Trust } from '../../transport/connect.ts';
import type { CongestionControl } from '../../transport/quic/native-types.ts';
import type { RelayCore } from '../relay.ts';
import { Cluster } from './cluster.ts';

/** A relay's part in a cluster, as its relay.toml says. */
export type ClusterSettings = {
  /** Relays to dial; each may carry a token of its own (`?jwt=`): secrets. */
  readonly connect: readonly string[];
  /** Where other relays reach this one. */
  readonly node?: string;
  /** Members tell each other of themselves, and dial those that they hear of. */
  readonly discover: boolean;
  /** What members show each other: a token, or the file it is in. A secret. */
  readonly token?: { readonly text: string } | { readonly file: string };
  /** This relay in hop lists, 1 … 2^62-1; random where absent. */
  readonly id?: bigint;
  /** PEM files of authorities that the certificates of other relays may come from. */
  readonly authorityFiles: readonly string[];
  /** Any certificate will do. */
  readonly insecure: boolean;
};

/**
 * A link that is silent for this long is gone, and what came over it with it. At the accepting end too: the shorter timeout of
 * the two counts (RFC 9000 10.1), and it is shorter than that end waits before it asks, which would start it anew.
 */
const idleTimeoutMs = 3500;
const keepAliveMs = 1000;
const dialMs = 5000;

/** Joins the relay to its cluster. Throws CONFIG_INVALID. */
export async function startCluster(
  core: RelayCore,
  settings: ClusterSettings,
  options: {
    readonly versions: readonly string[];
    readonly logger: Logger;
    readonly congestionControl?: CongestionControl;
  },
): Promise<Cluster> {
  const { versions, logger, congestionControl } = options;
  // Older drafts have no place for hop lists.
  const spoken = versions.filter((version) => dialectFor(version)?.requestStreams !== 'shared');
  if (spoken.length === 0) {
    throw new StreamsError('CONFIG_INVALID', 'no version offered can carry a cluster', { hint: 'moqt-18' });
  }
  const trust = await trustOf(settings);
  const { connect: peers, node, discover, token } = settings;
  // Before the first attempt, so that a file that is not there is told of at once.
  await readToken(token);
  return new Cluster({
    core,
    connect: peers,
    ...(node !== undefined && { node }),
    discover,
    dialect: dialects[0]!,
    token: () => readToken(token),
    logger,
    dial: (url, signal) =>
      connect(url, {
        versions: spoken,
        signal,
        timeoutMs: dialMs,
        ...(trust !== undefined && { trust }),
        quic: { idleTimeoutMs, keepAliveMs, ...(congestionControl !== undefined && { congestionControl }) },
      }),
  });
}

async function trustOf({ authorityFiles, insecure }: ClusterSettings): Promise<Trust | undefined> {
  if (insecure) return { insecure: true };
  if (authorityFiles.length === 0) return undefined;
  const files = await Promise.all(authorityFiles.map((file) => readSetting('connect.tls.root', file)));
  return { caPem: files.join('\n') };
}

async function readToken(token: ClusterSettings['token']): Promise<string | undefined> {
  if (token === undefined || 'text' in token) return token?.text;
  return (await readSetting('cluster.token', token.file)).trim();
}

async function readSetting(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `${key}: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
