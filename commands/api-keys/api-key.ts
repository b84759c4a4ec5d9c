import type { Block } from '../output/output.ts';

export type ApiKey = {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
};

export function apiKeyTable(keys: readonly ApiKey[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'name', 'scopes', 'created', 'last used', 'ends'],
    rows: keys.map(({ id, name, scopes, createdAt, lastUsedAt, expiresAt, revokedAt }) => [
      id,
      name,
      scopes.join(' '),
      createdAt,
      lastUsedAt ?? '',
      revokedAt === null ? (expiresAt ?? '') : `revoked ${revokedAt}`,
    ]),
    empty: 'No API keys.',
  };
}
