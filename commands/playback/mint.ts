import { StreamsError } from '../../src/core/errors.ts';
import { addressesNote } from '../addresses-note.ts';
import type { CommandContext, OptionsOf, Run } from '../command.ts';
import type { MintRules } from '../connection/api-client.ts';
import { isLoopback } from '../connection/known-relay.ts';
import { parseDuration } from '../options/duration.ts';
import type { mintSpec } from './specs.ts';

const lifetimes = [
  { value: '1h', label: '1 hour' },
  { value: '15m', label: '15 minutes' },
  { value: '6h', label: '6 hours' },
  { value: '24h', label: '24 hours' },
];

export const run: Run<typeof mintSpec> = async (context) => {
  const { args, options, output, api } = context;
  const id = args.id ?? (await pick(context));
  // A user who gives the id knows the options, so nothing is asked.
  const ask = args.id === undefined && options.ttl === undefined;
  const chosen = ask ? await output.prompt.select({ message: 'For how long?', choices: lifetimes }) : '1h';
  const ttlSeconds = Math.round((options.ttl ?? parseDuration(chosen)) / 1000);
  const answer = await (await api()).mintPlaybackToken(id, ttlSeconds, rulesOf(options));
  const { token, kid, alg, url, watchUrl, hlsUrl, expires_at: expiresAt, certificateSha256, addresses } = answer;
  await output.result({
    json: { type: 'playback', url, watchUrl, hlsUrl, token, kid, alg, expiresAt, certificateSha256, addresses },
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
  const granted = lifetimeOf(token);
  if (granted !== undefined && granted !== (options.ttl ?? parseDuration(chosen)) / 1000)
    output.warn(`A token is good for whole seconds, 30 s to 24 h: this one is for ${granted} s.`);
  const note = addressesNote(addresses);
  if (note !== undefined) output.note(`\n${note}`);
  if (url === undefined) return;
  // On this machine a relay tells its certificate itself.
  const hash =
    certificateSha256 === undefined || isLoopback(new URL(url).hostname) ? '' : ` --cert-hash ${certificateSha256}`;
  output.next([`streams watch '${url}'${hash}`]);
};

/** Seconds; undefined for a token that does not say. */
function lifetimeOf(token: string): number | undefined {
  try {
    const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return Number.isFinite(exp - iat) ? exp - iat : undefined;
  } catch {
    return undefined;
  }
}

async function pick({ output, api }: CommandContext<typeof mintSpec>): Promise<string> {
  if (!output.interactive) {
    throw new StreamsError('USAGE', 'a token needs an input, and there is no terminal to ask on', {
      hint: `streams playback mint <lv_…> --ttl 1h${output.json ? ' --json' : ''}`,
    });
  }
  const inputs = await (await api()).listInputs();
  if (inputs.length === 0)
    throw new StreamsError('NOT_FOUND', 'there is no live input yet', { hint: 'streams inputs create --name show' });
  const choices = inputs.map(({ id, name, status }) => ({ value: id, label: `${name} (${id}, ${status})` }));
  return output.prompt.select({ message: 'Which input?', choices });
}

function rulesOf({ viewer, once, rendition, origin, address }: OptionsOf<typeof mintSpec>): MintRules {
  return {
    ...(viewer === undefined ? {} : { viewerId: viewer }),
    ...(once ? { once } : {}),
    ...(rendition === undefined ? {} : { renditions: rendition }),
    ...(origin === undefined ? {} : { origins: origin }),
    ...(address === undefined ? {} : { addresses: address }),
  };
}
