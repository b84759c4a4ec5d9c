import { formatSessionPath } from '../../src/contract/session-path.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { withDeadline } from '../../src/core/deadline.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { isId } from '../../src/core/ids.ts';
import { ask, jsonOf } from '../connection/ask.ts';
import { readSecret } from '../relay-token/secret-input.ts';

const timeoutMs = 10_000;

export type Relay = { readonly url: string; readonly certificateHashes: Uint8Array[] | undefined };

/** The relay of a control plane, as that tells it. Rejects with API_UNREACHABLE, RELAY_UNREACHABLE. */
export async function relayOf(apiUrl: string, signal: AbortSignal): Promise<Relay> {
  let answer: { relay?: { url: string; certificateSha256?: string } | null };
  try {
    answer = await withDeadline(timeoutMs, signal, async (soon) => {
      const response = await ask(apiUrl, '/endpoints.json', { signal: soon });
      return ((await jsonOf(response, apiUrl, soon)) ?? {}) as typeof answer;
    });
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('API_UNREACHABLE', `no answer from ${apiUrl}`, {
      hint: 'Is it running? streams serve, or name the relay: --relay https://…',
      cause,
    });
  }
  const { relay } = answer;
  if (relay === undefined || relay === null)
    throw new StreamsError('RELAY_UNREACHABLE', `${apiUrl} knows no relay`, { hint: '--relay https://host:4443' });
  const hash = relay.certificateSha256?.replaceAll(':', '');
  return { url: relay.url, certificateHashes: hash === undefined ? undefined : [fromHex(hash)] };
}

/** Where to publish: a URL with the stream key in it, which is a secret. Throws USAGE. */
export function publishUrl(relay: string, input: string, streamKey: string): string {
  if (!isId('lv', input))
    throw new StreamsError('USAGE', `"${input}" is not the id of an input`, { hint: 'streams inputs list' });
  if (!URL.canParse(relay) || !/^(https|wss?):$/.test(new URL(relay).protocol))
    throw new StreamsError('USAGE', 'the relay is not given as an https: or wss: URL', {
      hint: '--relay https://host:4443',
    });
  return new URL(formatSessionPath({ kind: 'publish', id: input, streamKey }), relay).href;
}

/** Throws USAGE where there is none, CONFIG_INVALID where the file cannot be read. */
export async function streamKey(file: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const key = file === undefined ? env.STREAMS_STREAM_KEY?.trim() : await readSecret(file);
  if (key !== undefined && key !== '') return key;
  throw new StreamsError('USAGE', 'publishing needs the stream key of the input', {
    hint: '--key-file stream-key.txt, or set STREAMS_STREAM_KEY',
  });
}
