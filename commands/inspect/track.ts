import { type Catalog, catalogTrackName, decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { sessionCodes, streamResetCodes } from '../../src/codec/moqt/codes.ts';
import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { playbackTarget } from '../../src/sdk/connect/relay-url.ts';
import { refusalOfClose, refusalOfRequest } from '../../src/sdk/viewer/refusal.ts';
import { establish } from '../../src/session/establish.ts';
import { RequestError } from '../../src/session/request-error.ts';
import type { IncomingSubgroup, Session, Subscription } from '../../src/session/types.ts';
import { StreamResetError } from '../../src/transport/stream-reset-error.ts';
import type { Run } from '../command.ts';
import { knownRelay } from '../connection/known-relay.ts';
import { nodeConnect } from '../watch/broadcast.ts';
import { firstObject } from './first-object.ts';
import type { trackSpec } from './specs.ts';
import { pictureLine, pictureLines, summaryBlocks } from './track/picture.ts';
import { TrackMeter } from './track/track-meter.ts';

const refreshMs = 1000;
const rendezvousMs = 10_000;

export const run: Run<typeof trackSpec> = async ({ args, options, global, env, output, signal }) => {
  if (!URL.canParse(args.url)) {
    throw new StreamsError('USAGE', 'that is not the URL of a relay', { hint: 'streams playback mint <lv_…>' });
  }
  const namespace = options.namespace?.split('/');
  const target = playbackTarget(args.url, namespace);
  const transport = await nodeConnect(options.certHash ?? knownRelay(global, env), options.versions)(target.url, {
    signal,
  });
  const meter = new TrackMeter();
  let session: Session | undefined;
  let timer: NodeJS.Timeout | undefined;
  let refresh: NodeJS.Timeout | undefined;
  const stop = new AbortController();
  const halt = () => stop.abort();
  signal.addEventListener('abort', halt, { once: true });
  try {
    session = await establish(transport, { role: 'client' });
    const opened = session;
    void opened.closed.then(halt);
    const request = { rendezvousMs, signal: stop.signal };
    const subscribe = (name: string) =>
      opened.subscribe({ namespace: target.namespace, name }, { ...request, filter: { type: 'unfiltered' } });
    const name = options.track ?? firstTrack(await readCatalog(await subscribe(catalogTrackName), stop.signal));
    const subscription = await subscribe(name);
    const draw = () =>
      output.live({
        json: { type: 'progress', version: 1, track: name, groups: meter.rows().slice(-1) },
        lines: pictureLines(name, meter),
        line: pictureLine(name, meter),
      });
    refresh = setInterval(draw, refreshMs);
    if (options.duration !== undefined) timer = setTimeout(halt, options.duration);
    const end = await measure(subscription, meter, stop.signal);
    const summary = meter.summary();
    const flowed = summary.objects > 0;
    await output.result({
      json: { type: 'track', namespace: target.namespace, track: name, ended: end, ...summary },
      blocks: flowed ? summaryBlocks(name, summary) : [],
    });
    signal.throwIfAborted();
    if (flowed) return;
    throw new StreamsError('NO_MEDIA', `no object of ${name} came`, {
      hint: 'streams inputs list shows which inputs are live',
    });
  } catch (error) {
    signal.throwIfAborted();
    const refusal =
      refusalOfRequest(error, target.expiresAt) ?? (error instanceof RequestError ? notThere(error) : undefined);
    if (refusal !== undefined) throw refusal;
    if (toStreamsError(error).code !== 'TRANSPORT_CLOSED' && toStreamsError(error).code !== 'UNAUTHORIZED') throw error;
    transport.close({ code: sessionCodes.noError, reason: '' });
    throw refusalOfClose(await transport.closed, target.expiresAt) ?? error;
  } finally {
    clearTimeout(timer);
    clearInterval(refresh);
    signal.removeEventListener('abort', halt);
    session?.close(sessionCodes.noError, '');
    transport.close({ code: sessionCodes.noError, reason: '' });
    await transport.closed;
  }
};

function notThere({ reason }: RequestError): StreamsError {
  return new StreamsError('STREAM_OFF_AIR', `the relay has no such track: ${reason}`, {
    hint: 'is the encoder on? streams inputs list shows which inputs are live',
  });
}

/** Reads every stream as it comes, until the publisher ends the track, the session is gone, or `stop`. */
async function measure(subscription: Subscription, meter: TrackMeter, stop: AbortSignal): Promise<string> {
  const streams = new Set<IncomingSubgroup>();
  const halt = () => {
    for (const stream of streams) stream.stop(streamResetCodes.cancelled);
    subscription.unsubscribe();
  };
  if (stop.aborted) halt();
  stop.addEventListener('abort', halt, { once: true });
  const reading = new Set<Promise<void>>();
  for (let next = await subscription.nextSubgroup(); next !== null; next = await subscription.nextSubgroup()) {
    const stream = next;
    if (stop.aborted) {
      stream.stop(streamResetCodes.cancelled);
      continue;
    }
    streams.add(stream);
    meter.subgroup(stream.groupId);
    const done = readStream(stream, meter, stop).finally(() => {
      streams.delete(stream);
      reading.delete(done);
    });
    reading.add(done);
  }
  await Promise.all(reading);
  stop.removeEventListener('abort', halt);
  const { by, reason } = await subscription.done;
  return by === 'local'
    ? 'stopped'
    : by === 'publisher'
      ? `ended by the publisher${reason === '' ? '' : `: ${reason}`}`
      : 'session lost';
}

async function readStream(stream: IncomingSubgroup, meter: TrackMeter, stop: AbortSignal): Promise<void> {
  const { groupId, subgroupId } = stream;
  try {
    for (let object = await stream.next(); object !== null; object = await stream.next()) {
      if (stop.aborted) return;
      if (object.status !== 'normal') continue;
      const { objectId, payload } = object;
      meter.object({ groupId, objectId, bytes: payload.length, at: performance.now() });
    }
  } catch (error) {
    if (!stop.aborted && error instanceof StreamResetError) meter.reset(groupId, subgroupId, error.resetCode);
  }
}

/** The first catalog; throws STREAM_OFF_AIR when none comes. */
async function readCatalog(subscription: Subscription, stop: AbortSignal): Promise<Catalog> {
  const object = await firstObject(subscription, rendezvousMs, stop);
  if (object !== undefined) return decodeCatalog(object);
  throw new StreamsError('STREAM_OFF_AIR', 'no catalog came', {
    hint: '--track <name> where the relay has no catalog',
  });
}

function firstTrack({ tracks }: Catalog): string {
  const track = tracks.find(({ kind }) => kind === 'video') ?? tracks[0];
  if (track !== undefined) return track.name;
  throw new StreamsError('NO_MEDIA', 'the catalog has no tracks');
}
