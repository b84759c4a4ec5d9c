import { decodeJwt } from 'jose';
import { z } from 'zod';
import { besideEngine } from '../../addresses.ts';
import { mintPlaybackToken } from '../../auth/playback-token.ts';
import { defineOperation } from '../define.ts';
import { inputId, isoTime, orgId, time } from '../fields.ts';
import { mintRules, tokenRules } from '../playback/mint-rules.ts';
import { addresses, findLiveInput, liveInput, viewAddresses, viewLiveInput } from './view.ts';

export const liveInputsMintPlaybackToken = defineOperation({
  name: 'liveInputs.mintPlaybackToken',
  kind: 'mutation',
  summary: 'Mint a token that lets one viewer watch this input',
  scope: 'streams:write',
  input: z.object({
    orgId,
    id: inputId,
    ...mintRules,
  }),
  output: z.object({
    token: z.string(),
    kid: z.string(),
    alg: z.enum(['EdDSA', 'RS256']),
    expires_at: time,
    input: liveInput,
  }),
  rest: {
    method: 'POST',
    path: '/live-inputs/{id}/playback-tokens',
    adds: {
      output: z.object({
        jti: z.string().describe('Id of the token, to revoke it by'),
        url: z.string().optional().describe('For MoQT players'),
        watchUrl: z.string().describe('The web player'),
        hlsUrl: z.string().optional().describe('LL-HLS: the multivariant playlist'),
        certificateSha256: z
          .string()
          .optional()
          .describe("Of the relay's own certificate, for MoQT players to accept whatever authority signed it"),
        addresses,
      }),
      from({ context }, { token, input }) {
        const told = context.endpoints();
        const { relayUrl, certificateSha256, publicHttpUrl } = told;
        const hls = besideEngine(told, told.publicHlsUrl);
        return {
          jti: decodeJwt(token).jti!,
          ...(relayUrl === undefined ? {} : { url: `${relayUrl}/playback/${input.id}?tok=${token}` }),
          watchUrl: `${publicHttpUrl}/watch/${input.id}?tok=${token}`,
          ...(hls === undefined ? {} : { hlsUrl: `${hls}/hls/${input.id}/index.m3u8?tok=${token}` }),
          ...(relayUrl === undefined || certificateSha256 === undefined ? {} : { certificateSha256 }),
          ...viewAddresses(context),
        };
      },
    },
  },
  async run(call, { id, ...rules }) {
    const row = await findLiveInput(call, id);
    const minted = await mintPlaybackToken(call.context, call.caller, { orgId: row.org_id, id, ...tokenRules(rules) });
    return {
      token: minted.token,
      kid: minted.kid,
      alg: minted.alg,
      expires_at: isoTime(minted.expiresAt),
      input: viewLiveInput(row),
    };
  },
});
