import type { Run } from '../command.ts';
import type { mintSpec } from './specs.ts';

export const run: Run<typeof mintSpec> = async ({ args, options, output, api }) => {
  const ttlSeconds = Math.round((options.ttl ?? 3_600_000) / 1000);
  const answer = await (await api()).mintPlaybackToken(args.id, ttlSeconds);
  const { token, kid, alg, url, watchUrl, expires_at: expiresAt } = answer;
  await output.result({
    json: { type: 'playback', url, watchUrl, token, kid, alg, expiresAt },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Watch page', watchUrl],
          ...(url === undefined ? [] : [['Relay URL', url] as const]),
          ['Expires', expiresAt],
        ],
      },
    ],
  });
  if (url !== undefined) output.next([`streams watch '${url}'`]);
};
