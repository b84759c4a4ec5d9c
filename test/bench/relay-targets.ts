import { engineProof } from '../../src/access/engine-proof.ts';
import { fromHex } from '../../src/core/bytes.ts';
import type { ConnectOptions } from '../../src/transport/connect.ts';
import { createInput, startStack } from './stack.ts';

/** A relay under load, and what its clients need to know. */
export type RelayTarget = {
  readonly name: string;
  /** Of the process whose CPU and memory count; undefined: they are not measured. */
  readonly pid: number | undefined;
  /** `https:`; the same host and port speak raw QUIC. Path and query are the session's. */
  readonly publishUrl: string;
  readonly playUrl: string;
  readonly namespace: string[];
  /** The whole of it as plain JSON: it goes to another process. */
  readonly trust?: { certificateHash: string } | { insecure: true };
  readonly version: string;
  stop(): Promise<void>;
};

/** Ours, as `streams serve` runs it. */
export async function ownRelay(version: string): Promise<RelayTarget> {
  const stack = await startStack(['--only', 'control,relay']);
  const { id, url } = await createInput(stack);
  const claims = Buffer.from(new URL(url).searchParams.get('tok')!.split('.')[1]!, 'base64url').toString();
  const proof = engineProof(stack.env.STREAMS_SERVICE_TOKEN!, `publish ${id}`);
  return {
    name: 'streams',
    pid: stack.pids.relay,
    publishUrl: `${stack.urls.relay}/publish/${id}?engine=${proof}`,
    playUrl: url,
    namespace: JSON.parse(claims).ns[0].split('/'),
    version,
    stop: () => stack.stop(),
  };
}

export type PeerOptions = {
  /** `https://host:port/path` where anybody may publish and subscribe below the path. */
  readonly url: string;
  readonly pid: number | undefined;
  /** SHA-256 of its certificate, hexadecimal; undefined: any certificate will do. */
  readonly certificateHash: string | undefined;
  readonly version: string;
};

/** A relay that runs already. Each call is a broadcast of its own. */
export function peerRelay({ url, pid, certificateHash, version }: PeerOptions): RelayTarget {
  return {
    name: 'peer',
    pid,
    publishUrl: url,
    playUrl: url,
    namespace: [`bench-${Date.now()}`],
    trust: certificateHash === undefined ? { insecure: true } : { certificateHash },
    version,
    stop: async () => {},
  };
}

export function connectOptions({ trust, version }: Pick<RelayTarget, 'trust' | 'version'>): ConnectOptions {
  if (trust === undefined) return { versions: [version] };
  if ('insecure' in trust) return { versions: [version], trust };
  return { versions: [version], certificateHashes: [fromHex(trust.certificateHash)] };
}
