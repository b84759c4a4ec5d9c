import type { Block, Result } from '../output/output.ts';

/** A signing key as the control plane tells it; its id is the `kid` of the tokens. */
export type SigningKey = {
  id: string;
  alg: string;
  use: string;
  publicKeyPem: string;
  status: string;
  imported: boolean;
  createdAt: string;
  endsAt: string | null;
};

export function keyTable(keys: readonly SigningKey[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'algorithm', 'status', 'created', 'ends', 'origin'],
    rows: keys.map(({ id, alg, status, createdAt, endsAt, imported }) => [
      id,
      alg,
      status,
      createdAt,
      endsAt ?? '',
      imported ? 'imported' : 'ours',
    ]),
    empty: 'No signing keys yet; the first playback token makes one.',
  };
}

export function keyResult(key: SigningKey): Result {
  return { json: { type: 'signing-key', key }, blocks: [keyTable([key])] };
}

export function keyPath(id: string, verb = ''): string {
  return `/v1/signing-keys/${encodeURIComponent(id)}${verb === '' ? '' : `/${verb}`}`;
}
