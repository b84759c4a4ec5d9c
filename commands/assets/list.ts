import type { Run } from '../command.ts';
import { type Asset, assetJson, assetTable } from './asset.ts';
import type { listSpec } from './specs.ts';

export const run: Run<typeof listSpec> = async ({ options, output, api }) => {
  const query = options.status === undefined ? '' : `?status=${options.status}`;
  const assets = await (await api()).list<Asset>(`/v1/assets${query}`);
  await output.result({ json: { type: 'assets', assets: assets.map(assetJson) }, blocks: [assetTable(assets)] });
};
