import { z } from 'zod';
import { mintPlaybackToken } from '../auth/playback-token.ts';
import { defineOperation } from './define.ts';
import { inputId, isoTime, orgId, time } from './fields.ts';
import { findLiveInput, liveInput, viewLiveInput } from './live-input-view.ts';

export const liveInputsMintPlaybackToken = defineOperation({
  name: 'liveInputs.mintPlaybackToken',
  kind: 'mutation',
  summary: 'Mint a token that lets one viewer watch this input',
  scope: 'streams:write',
  input: z.object({
    orgId,
    id: inputId,
    ttlSeconds: z.number().optional().describe('Clamped to 30 s – 24 h; 1 h when left out'),
    viewerId: z.string().min(1).max(128).optional().describe('`sub` of the token; the input id when left out'),
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
        url: z.string().optional().describe('For MoQT players'),
        watchUrl: z.string().describe('The web player'),
      }),
      from({ context }, { token, input }) {
        const { relayUrl, publicHttpUrl } = context.endpoints();
        const watchUrl = `${publicHttpUrl}/watch/${input.id}?tok=${token}`;
        return relayUrl === undefined
          ? { watchUrl }
          : { url: `${relayUrl}/playback/${input.id}?tok=${token}`, watchUrl };
      },
    },
  },
  async run(call, { id, ttlSeconds, viewerId }) {
    const row = await findLiveInput(call, id);
    const minted = await mintPlaybackToken(call.context, { orgId: row.org_id, id, ttlSeconds, viewerId });
    return {
      token: minted.token,
      kid: minted.kid,
      alg: minted.alg,
      expires_at: isoTime(minted.expiresAt),
      input: viewLiveInput(row),
    };
  },
});
