import type { Run } from '../command.ts';
import { type Asset, assetJson, assetTable } from './asset.ts';
import type { createSpec } from './specs.ts';

export const run: Run<typeof createSpec> = async ({ options, output, api }) => {
  const asset = await (await api()).request<Asset>('POST', '/v1/assets', {
    name: options.name ?? 'upload',
    ...(options.externalId !== undefined && { external_asset_id: options.externalId }),
  });
  await output.result({ json: { type: 'asset', asset: assetJson(asset) }, blocks: [assetTable([asset])] });
  output.next([`streams assets upload film.mp4 --asset ${asset.id} --wait`]);
};
