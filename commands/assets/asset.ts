import type { Block } from '../output/output.ts';

export type Asset = {
  id: string;
  playbackId: string;
  name: string;
  status: string;
  percent: number;
  error: string | null;
  durationMs: number | null;
  bytes: number | null;
  createdAt: string;
};

export function assetTable(assets: readonly Asset[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'name', 'status', 'duration', 'size', 'created'],
    rows: assets.map((asset) => [
      asset.id,
      asset.name,
      asset.error ?? (asset.status === 'processing' ? `processing ${asset.percent} %` : asset.status),
      asset.durationMs === null ? '' : `${(asset.durationMs / 1000).toFixed(1)} s`,
      asset.bytes === null ? '' : `${(asset.bytes / 1e6).toFixed(1)} MB`,
      asset.createdAt,
    ]),
    empty: 'No assets yet.',
  };
}
