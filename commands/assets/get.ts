import type { Run } from '../command.ts';
import { type Asset, assetJson, assetTable } from './asset.ts';
import type { getSpec } from './specs.ts';

export const run: Run<typeof getSpec> = async ({ args, output, api }) => {
  const asset = await (await api()).request<Asset>('GET', `/v1/assets/${encodeURIComponent(args.id)}`);
  await output.result({ json: { type: 'asset', asset: assetJson(asset) }, blocks: [assetTable([asset])] });
};
