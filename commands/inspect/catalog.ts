import type { Catalog } from '../../src/codec/catalog/streams-catalog.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { BroadcastViewer, type ConnectTransport } from '../../src/sdk/index.ts';
import type { CommandContext, Run } from '../command.ts';
import { knownRelay } from '../connection/known-relay.ts';
import { checkPlaybackUrl, nodeConnect, Patience } from '../watch/broadcast.ts';
import { type CatalogFormat, catalogForms, formatOf } from './catalog-format.ts';
import { firstObjectOf } from './first-object.ts';
import { readSource } from './source.ts';
import type { catalogSpec } from './specs.ts';

const waitMs = 10_000;
const maxBytes = 16 << 20;

export const run: Run<typeof catalogSpec> = async (context) => {
  const { args, options, output, signal, stdin } = context;
  const { format, catalog } =
    /^(https?|wss?):\/\//.test(args.source) && !isDocument(args.source)
      ? await ofRelay(args.source, context)
      : ofFile(await readSource(args.source, maxBytes, { signal, stdin }), options.format);
  await output.result({
    json: { type: 'catalog', format, catalog },
    blocks: [
      {
        kind: 'table',
        columns: ['track', 'kind', 'codec', 'size', 'rate', 'bitrate', 'channels'],
        rows: catalog.tracks.map((track) => [
          track.name,
          track.kind,
          track.codec,
          track.width === undefined ? '' : `${track.width}×${track.height}`,
          track.framerate !== undefined
            ? `${Math.round(track.framerate * 100) / 100} fps`
            : track.sampleRate === undefined
              ? ''
              : `${track.sampleRate} Hz`,
          track.bitrate === undefined ? '' : `${Math.round(track.bitrate / 1000)} kbit/s`,
          track.channels === undefined ? '' : String(track.channels),
        ]),
        empty: 'The catalog has no tracks.',
      },
    ],
  });
  output.note(
    format === 'streams'
      ? `\n${catalog.live ? 'live' : 'not live'}, catalog version ${catalog.version}`
      : `\n${catalog.live ? 'live' : 'complete'}, ${format} catalog`,
  );
};

/** The catalog of an asset is a file of the control plane's, `/vod/<id>/catalog.json`; a broadcast's is asked of a relay. */
function isDocument(url: string): boolean {
  return URL.canParse(url) && new URL(url).pathname.endsWith('.json');
}

type Found = { format: CatalogFormat; catalog: Catalog };

function ofFile(bytes: Uint8Array, asked: CatalogFormat | undefined): Found {
  const format = asked ?? formatOf(bytes);
  return { format, catalog: catalogForms[format].decode(bytes) };
}

async function ofRelay(
  url: string,
  { options, global, env, signal }: CommandContext<typeof catalogSpec>,
): Promise<Found> {
  const { format = 'streams', namespace, versions } = options;
  const connect = nodeConnect(options.certHash ?? knownRelay(global, env), versions);
  if (format === 'streams' && namespace === undefined)
    return { format, catalog: await liveCatalog(url, connect, signal) };
  const { trackName: name, decode } = catalogForms[format];
  const request = { url, namespace: namespace?.split('/'), name, connect, waitMs };
  return { format, catalog: decode(await firstObjectOf(request, signal)) };
}

/** The first catalog a relay delivers. */
async function liveCatalog(url: string, connect: ConnectTransport, signal: AbortSignal): Promise<Catalog> {
  checkPlaybackUrl(url);
  const patience = new Patience();
  let found: Catalog | undefined;
  let failure: StreamsError | undefined;
  const viewer = new BroadcastViewer({
    url,
    connect,
    selectTracks: () => [],
    onCatalog: (catalog) => {
      found ??= catalog;
      void viewer.close();
    },
    onState: (state) => {
      const over = patience.state(state, Date.now());
      if (over === undefined) return;
      failure ??= over;
      void viewer.close();
    },
  });
  const timer = setTimeout(() => {
    failure ??=
      viewer.state.name === 'waiting'
        ? new StreamsError('STREAM_OFF_AIR', 'the input is off air', { hint: 'start the encoder, then ask again' })
        : new StreamsError('TIMEOUT', `no catalog came within ${waitMs / 1000} s`);
    void viewer.close();
  }, waitMs);
  const onAbort = () => void viewer.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { error } = await viewer.ended;
    if (found !== undefined) return found;
    signal.throwIfAborted();
    throw failure ?? error ?? new StreamsError('NO_MEDIA', 'the broadcast ended without a catalog');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    await viewer.close();
  }
}
