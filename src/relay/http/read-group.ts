import type { Grant } from '../../access/grant.ts';
import { sessionCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { startDeadline } from '../../core/deadline.ts';
import { StreamsError } from '../../core/errors.ts';
import { establish } from '../../session/establish.ts';
import type { IncomingSubgroup, Session, TrackName } from '../../session/types.ts';
import { memoryPair } from '../../transport/memory.ts';
import type { RelayCore } from '../relay.ts';

/** A session with our own relay, without a socket: it may do what it was granted, as any other. */
export type LocalSession = {
  readonly core: RelayCore;
  readonly grant: Grant;
  readonly version: string;
  readonly signal: AbortSignal;
};

/** All of it: to find the publisher, and for a live group to end. */
const deadlineMs = 30_000;

/**
 * The payloads of the newest group of a track, in order, as they come; ends with the group. Throws the refusal of the relay,
 * STREAM_OFF_AIR when the track ends without one, STREAM_RESET, or TIMEOUT after 30 s.
 */
export function readNewestGroup(local: LocalSession, track: TrackName): AsyncGenerator<Uint8Array> {
  return withSession(local, async function* (session, signal) {
    const subscription = await session.subscribe(track, { filter: { type: 'unfiltered' }, signal });
    const first = await inTime(subscription.nextSubgroup(), signal);
    if (first === null) throw new StreamsError('STREAM_OFF_AIR', 'the track has no group');
    yield* payloads(first, signal);
    // Further subgroups of the group that are there already.
    for (let next = await soon(subscription.nextSubgroup()); next?.groupId === first.groupId; ) {
      yield* payloads(next, signal);
      next = await soon(subscription.nextSubgroup());
    }
  });
}

/** The payloads of one group of a track, in order. Throws the refusal of the relay, NOT_FOUND, STREAM_RESET or TIMEOUT. */
export function readGroup(local: LocalSession, track: TrackName, group: number): AsyncGenerator<Uint8Array> {
  return withSession(local, async function* (session, signal) {
    const range = { start: { group, object: 0 }, end: { group, object: 0 } };
    const fetched = await session.fetch({ track, ...range }, { signal });
    let any = false;
    for (let item = await inTime(fetched.next(), signal); item !== null; item = await inTime(fetched.next(), signal)) {
      if (item.kind !== 'object') continue;
      any = true;
      yield item.object.payload;
    }
    if (!any) throw new StreamsError('NOT_FOUND', `the relay has no group ${group} of this track`);
  });
}

async function* withSession(
  local: LocalSession,
  read: (session: Session, signal: AbortSignal) => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { signal, clear } = startDeadline(deadlineMs, local.signal);
  try {
    const session = await open(local, signal);
    try {
      yield* read(session, signal);
    } finally {
      session.close(sessionCodes.noError, '');
    }
  } finally {
    clear();
  }
}

async function open({ core, grant, version }: LocalSession, signal: AbortSignal): Promise<Session> {
  const pair = memoryPair({ protocol: version });
  signal.addEventListener('abort', () => pair.client.close({ code: sessionCodes.noError, reason: '' }), { once: true });
  void core.serve(pair.server, grant);
  return establish(pair.client, { role: 'client' });
}

async function* payloads(subgroup: IncomingSubgroup, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const object = await inTime(subgroup.next(), signal);
      if (object === null) return;
      yield object.payload;
    }
  } finally {
    subgroup.stop(streamResetCodes.cancelled);
  }
}

/** What has arrived is here within a turn of the event loop; null otherwise. */
function soon<T>(promise: Promise<T | null>): Promise<T | null> {
  return Promise.race([promise, new Promise<null>((resolve) => setTimeout(() => resolve(null), 20))]);
}

function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new StreamsError('TIMEOUT', 'it took too long'));
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
