import { sessionCodes, streamResetCodes } from '../../src/codec/moqt/codes.ts';
import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { playbackTarget } from '../../src/sdk/connect/relay-url.ts';
import { refusalOfClose, refusalOfRequest } from '../../src/sdk/viewer/refusal.ts';
import type { ConnectTransport } from '../../src/sdk/viewer/viewer-types.ts';
import { establish } from '../../src/session/establish.ts';
import { RequestError } from '../../src/session/request-error.ts';
import type { Subscription } from '../../src/session/types.ts';

/** Object 0 of the first group that comes within `waitMs`; undefined when none does. Ends the subscription. */
export async function firstObject(
  subscription: Subscription,
  waitMs: number,
  stop: AbortSignal,
): Promise<Uint8Array | undefined> {
  const halt = () => subscription.unsubscribe();
  const late = setTimeout(halt, waitMs);
  stop.addEventListener('abort', halt, { once: true });
  try {
    for (let stream = await subscription.nextSubgroup(); stream !== null; stream = await subscription.nextSubgroup()) {
      const object = await stream.next().catch(() => null);
      stream.stop(streamResetCodes.cancelled);
      if (object?.objectId === 0 && object.status === 'normal') return object.payload;
    }
  } finally {
    clearTimeout(late);
    stop.removeEventListener('abort', halt);
    subscription.unsubscribe();
  }
  return undefined;
}

export type TrackRequest = {
  readonly url: string;
  /** Where the URL's token does not name it. */
  readonly namespace: readonly string[] | undefined;
  readonly name: string;
  readonly connect: ConnectTransport;
  readonly waitMs: number;
};

/** The first object of a track at a relay. Throws STREAM_OFF_AIR where there is none, and what refuses the token. */
export async function firstObjectOf(request: TrackRequest, signal: AbortSignal): Promise<Uint8Array> {
  const { url, name, connect, waitMs } = request;
  const target = playbackTarget(url, request.namespace);
  const transport = await connect(target.url, { signal });
  const abort = () => transport.close({ code: sessionCodes.noError, reason: '' });
  signal.addEventListener('abort', abort, { once: true });
  try {
    const session = await establish(transport, { role: 'client' });
    const track = { namespace: target.namespace, name };
    const wait = { rendezvousMs: waitMs, signal };
    const subscription = await session.subscribe(track, { ...wait, filter: { type: 'unfiltered' } });
    const object = await firstObject(subscription, waitMs, signal);
    if (object !== undefined) return object;
    throw new StreamsError('STREAM_OFF_AIR', `nothing came of ${name}`, { hint: 'start the encoder, then ask again' });
  } catch (error) {
    signal.throwIfAborted();
    const refusal = refusalOfRequest(error, target.expiresAt);
    if (refusal !== undefined) throw refusal;
    if (error instanceof RequestError)
      throw new StreamsError('STREAM_OFF_AIR', `the relay has no track ${name}: ${error.reason}`);
    if (!['TRANSPORT_CLOSED', 'UNAUTHORIZED'].includes(toStreamsError(error).code)) throw error;
    abort();
    throw refusalOfClose(await transport.closed, target.expiresAt) ?? error;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
    await transport.closed;
  }
}
