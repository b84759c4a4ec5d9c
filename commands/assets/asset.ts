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
  inputId?: string | null;
  external_asset_id?: string | null;
};

/** An asset in the documented `--json` form. */
export function assetJson(asset: Asset) {
  const { id, playbackId, name, status, percent, error, durationMs, bytes, createdAt } = asset;
  const { inputId, external_asset_id: externalId } = asset;
  return {
    id,
    playbackId,
    name,
    status,
    percent,
    ...(typeof error === 'string' && { error }),
    ...(typeof durationMs === 'number' && { durationMs }),
    ...(typeof bytes === 'number' && { bytes }),
    createdAt,
    ...(typeof inputId === 'string' && { inputId }),
    ...(typeof externalId === 'string' && { externalId }),
  };
}

export function assetTable(assets: readonly Asset[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'name', 'status', 'duration', 'size', 'created'],
    rows: assets.map((asset) => [
      asset.id,
      asset.name,
      statusOf(asset),
      asset.durationMs === null ? '' : `${(asset.durationMs / 1000).toFixed(1)} s`,
      asset.bytes === null ? '' : `${(asset.bytes / 1e6).toFixed(1)} MB`,
      asset.createdAt,
    ]),
    empty: 'No assets yet.',
  };
}

function statusOf({ status, percent, error }: Asset): string {
  if (error !== null) return `${status}: ${error}`;
  return status === 'processing' ? `processing ${percent} %` : status;
}
