import { createReadStream } from 'node:fs';
import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { BroadcastPublisher, type PublisherState } from '../../src/sdk/index.ts';
import type { Run } from '../command.ts';
import { knownRelay } from '../connection/known-relay.ts';
import type { Output } from '../output/output.ts';
import { resolveConnection } from '../profile.ts';
import { nodeConnect, Patience } from '../watch/broadcast.ts';
import type { publishSpec } from './specs.ts';
import { publishUrl, relayOf, streamKey } from './target.ts';

const refreshMs = 1000;
/** Connected for so long without a taker: worth a word. */
const untakenMs = 5000;
/** More than this part of what was to be published lost is no success. */
const mostLost = 0.05;

export const run: Run<typeof publishSpec> = async (context) => {
  const { args, options, env, output, signal, global } = context;
  const { file } = args;
  const piped = file === undefined || file === '-';
  if (piped && (options.keyFile === '-' || process.stdin.isTTY))
    throw new StreamsError('USAGE', 'the media is awaited on standard input', {
      hint: 'ffmpeg -re -i in.mp4 -c copy -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof - | streams publish lv_… --key-file stream-key.txt',
    });
  const key = await streamKey(options.keyFile, env);
  const relay =
    options.relay === undefined
      ? await relayOf((await resolveConnection(global, env)).apiUrl, signal)
      : { url: options.relay, certificateHashes: await knownRelay(global, env)(options.relay, signal) };
  const patience = new Patience();
  let failure: StreamsError | undefined;
  let untaken: NodeJS.Timeout | undefined;
  const publisher = new BroadcastPublisher({
    url: publishUrl(relay.url, args.input, key),
    connect: nodeConnect(options.certHash ?? relay.certificateHashes, options.versions),
    realtime: !piped || options.realtime === true,
    onState: (state) => {
      clearTimeout(untaken);
      output.event({ json: { type: 'state', version: 1, state: state.name }, line: describe(state, args.input) });
      if (state.name === 'waiting') untaken = setTimeout(() => warnUntaken(output, args.input), untakenMs);
      const over = patience.state(state.name === 'live' ? { name: 'playing' } : state, Date.now());
      if (over !== undefined) {
        failure ??= over;
        void publisher.close();
      }
    },
  });
  const startedAt = performance.now();
  const meter = setInterval(() => {
    const { fragments, bytes, dropped } = publisher.stats;
    const lost = dropped > 0 ? `, ${dropped} dropped` : '';
    const text = `${publisher.state.name}: ${fragments} fragments, ${(bytes / 1e6).toFixed(1)} MB${lost}`;
    output.live({ json: { type: 'progress', version: 1, ...publisher.stats }, lines: [text], line: text });
  }, refreshMs);
  const abort = () => void publisher.finish();
  signal.addEventListener('abort', abort, { once: true });
  const source = piped ? context.stdin : createReadStream(file);
  try {
    await send(source, publisher, signal);
    await publisher.finish();
  } catch (error) {
    if (!signal.aborted) failure ??= explained(error, file);
    await (signal.aborted ? publisher.finish() : publisher.close());
  } finally {
    clearInterval(meter);
    clearTimeout(untaken);
    signal.removeEventListener('abort', abort);
  }
  const { fragments, bytes, dropped, reconnects } = publisher.stats;
  if (dropped > fragments * mostLost) failure ??= tooSlow(fragments, dropped);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  await output.result({
    json: { type: 'published', fragments, sent: Math.max(0, fragments - dropped), dropped, bytes, reconnects, seconds },
    blocks:
      failure !== undefined
        ? []
        : [
            {
              kind: 'fields',
              rows: [
                ['Published', `${fragments} fragments, ${(bytes / 1e6).toFixed(2)} MB`],
                ['Sent', dropped === 0 ? 'all of them' : `${Math.max(0, fragments - dropped)}, ${dropped} dropped`],
                ['Duration', `${seconds} s`],
                ['Reconnects', String(reconnects)],
              ],
            },
          ],
  });
  if (failure !== undefined) throw failure;
  signal.throwIfAborted();
};

/** To the end of the source, or until the signal aborts or the publisher ends, neither of which waits for the source. */
async function send(
  source: AsyncIterable<Uint8Array>,
  publisher: BroadcastPublisher,
  signal: AbortSignal,
): Promise<void> {
  const over = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    void publisher.ended.then(() => resolve(undefined));
  });
  const chunks = source[Symbol.asyncIterator]();
  let empty = true;
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), over]);
      if (next === undefined) {
        const state = publisher.state;
        if (state.name === 'ended' && state.error !== undefined) throw state.error;
        return;
      }
      if (next.done === true) break;
      empty = false;
      await publisher.write(next.value);
    }
  } finally {
    // Not waited for: a read that is under way may take for ever.
    void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
  if (empty) throw new StreamsError('NO_MEDIA', 'nothing came to be published');
}

function describe(state: PublisherState, input: string): string {
  switch (state.name) {
    case 'live':
      return `${input} is live`;
    case 'reconnecting':
      return `reconnecting: ${state.error.message}`;
    default:
      return state.name;
  }
}

function warnUntaken(output: Output, input: string): void {
  output.warn(`connected, but nobody takes the media: streams inputs status ${input} tells why`);
}

function tooSlow(fragments: number, dropped: number): StreamsError {
  const message = `published ${fragments} fragments, sent ${Math.max(0, fragments - dropped)}, dropped ${dropped}: the line is too slow, or was away`;
  return new StreamsError('GROUP_LAGGED', message, {
    hint: 'encode for less than the line takes, half of it better (ffmpeg -b:v 1M), or use a better line',
  });
}

function explained(error: unknown, file: string | undefined): StreamsError {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new StreamsError('NOT_FOUND', `there is no file ${file}`, { cause: error });
  const known = toStreamsError(error);
  if (known.code !== 'MALFORMED' && known.code !== 'LIMIT_EXCEEDED') return known;
  return new StreamsError(known.code, `this is no fragmented MP4: ${known.message}`, {
    hint: `ffmpeg -re -i ${file ?? 'in.mp4'} -c copy -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof - | streams publish …`,
    cause: error,
  });
}
