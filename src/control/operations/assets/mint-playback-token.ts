import { decodeJwt } from 'jose';
import { z } from 'zod';
import { besideEngine } from '../../addresses.ts';
import { mintPlaybackToken } from '../../auth/playback-token.ts';
import { defineOperation } from '../define.ts';
import { assetId, isoTime, orgId, time } from '../fields.ts';
import { mintRules, tokenRules } from '../playback/mint-rules.ts';
import { asset, findAsset, viewAsset } from './view.ts';

export const assetsMintPlaybackToken = defineOperation({
  name: 'assets.mintPlaybackToken',
  kind: 'mutation',
  summary: 'Mint a token that lets one viewer watch this asset, by its id or its playback id',
  scope: 'streams:write',
  input: z.object({ orgId, id: assetId, ...mintRules }),
  output: z.object({
    token: z.string(),
    jti: z.string().describe('Id of the token, to revoke it by'),
    kid: z.string(),
    alg: z.enum(['EdDSA', 'RS256']),
    expires_at: time,
    asset,
    hlsUrl: z.string().optional().describe('HLS: the multivariant playlist'),
    watchUrl: z.string().describe('The web player'),
  }),
  rest: { method: 'POST', path: '/assets/{id}/playback-tokens' },
  async run(call, { id, ...rules }) {
    const row = await findAsset(call, id);
    const { playback_id: playbackId } = row;
    const wanted = { orgId: row.org_id, id: playbackId, otherIds: [id], ...tokenRules(rules) };
    const { token, kid, alg, expiresAt } = await mintPlaybackToken(call.context, call.caller, wanted);
    const told = call.context.endpoints();
    const hls = besideEngine(told, told.publicHlsUrl);
    return {
      token,
      jti: decodeJwt(token).jti!,
      kid,
      alg,
      expires_at: isoTime(expiresAt),
      asset: viewAsset(row),
      ...(hls !== undefined && { hlsUrl: `${hls}/hls/${playbackId}/index.m3u8?tok=${token}` }),
      watchUrl: `${told.publicHttpUrl}/watch/${playbackId}?tok=${token}`,
    };
  },
});
