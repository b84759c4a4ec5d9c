import type { MintRules } from '../api-client.ts';
import type { OptionsOf, Run } from '../command.ts';
import type { mintSpec } from './specs.ts';

export const run: Run<typeof mintSpec> = async ({ args, options, output, api }) => {
  const ttlSeconds = Math.round((options.ttl ?? 3_600_000) / 1000);
  const answer = await (await api()).mintPlaybackToken(args.id, ttlSeconds, rulesOf(options));
  const { token, kid, alg, url, watchUrl, hlsUrl, expires_at: expiresAt } = answer;
  await output.result({
    json: { type: 'playback', url, watchUrl, hlsUrl, token, kid, alg, expiresAt },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Watch page', watchUrl],
          ...(url === undefined ? [] : [['Relay URL', url] as const]),
          ...(hlsUrl === undefined ? [] : [['HLS', hlsUrl] as const]),
          ['Expires', expiresAt],
        ],
      },
    ],
  });
  if (url !== undefined) output.next([`streams watch '${url}'`]);
};

function rulesOf({ viewer, once, rendition, origin, address }: OptionsOf<typeof mintSpec>): MintRules {
  return {
    ...(viewer === undefined ? {} : { viewerId: viewer }),
    ...(once ? { once } : {}),
    ...(rendition === undefined ? {} : { renditions: rendition }),
    ...(origin === undefined ? {} : { origins: origin }),
    ...(address === undefined ? {} : { addresses: address }),
  };
}
