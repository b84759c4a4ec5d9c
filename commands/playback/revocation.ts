import type { Block } from '../output/output.ts';

export type Revocation = { id: string; kind: string; value: string; createdAt: string; expiresAt: string };

export function revocationTable(revocations: readonly Revocation[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'kind', 'value', 'created', 'ends'],
    rows: revocations.map(({ id, kind, value, createdAt, expiresAt }) => [id, kind, value, createdAt, expiresAt]),
    empty: 'Nothing is revoked.',
  };
}
