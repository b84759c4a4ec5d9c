import { describe, expect, it, onTestFinished } from 'vitest';
import { publishDoneCodes } from '../../src/codec/moqt/codes.ts';
import { establish } from '../../src/session/establish.ts';
import type { Session, SessionHandlers } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { describeVersions, header, obj, sessions, track } from './helpers.ts';

const boom = (): never => {
  throw new TypeError('boom');
};
const boomLater = async (): Promise<void> => {
  await Promise.resolve();
  boom();
};

/** How a peer gets a handler called. */
const asks: Record<keyof SessionHandlers, (session: Session) => Promise<unknown>> = {
  subscribe: (session) => session.subscribe(track),
  fetch: (session) => session.fetch({ track, start: { group: 0, object: 0 }, end: { group: 0, object: 0 } }),
  trackStatus: (session) => session.trackStatus(track),
  publish: (session) => session.publish(track, { alias: 3 }),
  publishNamespace: (session) => session.publishNamespace(['a']),
  subscribeNamespace: (session) => session.subscribeNamespace(['a']),
  subscribeTracks: (session) => session.subscribeTracks(['a']),
};
const names = Object.keys(asks) as (keyof SessionHandlers)[];

async function closesAlone(
  handlers: SessionHandlers,
  ask: (session: Session) => Promise<unknown>,
  open: (options: object) => Promise<{ client: Session; server: Session }> = sessions,
): Promise<void> {
  const faults: unknown[] = [];
  const { client, server } = await open({ server: { handlers, fault: (error: unknown) => faults.push(error) } });
  ask(client).catch(() => {});
  expect(await server.closed).toMatchObject({ by: 'local', code: 0x1, reason: 'internal error' });
  expect(await client.closed).toMatchObject({ by: 'peer', code: 0x1 });
  expect(faults).toEqual([
    expect.objectContaining({ message: 'boom', stack: expect.stringContaining('boundary.test') }),
  ]);
}

describeVersions('what a handler throws closes its session with INTERNAL_ERROR', (version) => {
  const has = (name: string) => !(name === 'subscribeTracks' && (version === 'moq-00' || version === 'moqt-16'));
  it.each(names.filter(has))('%s, at once', (name) => closesAlone({ [name]: boom }, asks[name]));
  it.each(names.filter(has))('%s, later', (name) => closesAlone({ [name]: boomLater }, asks[name]));

  it('where a change of a subscription is heard', () =>
    closesAlone({ subscribe: (request) => request.accept({ alias: 1 }).onUpdate(boom) }, async (session) =>
      (await session.subscribe(track)).update({ priority: 3 }),
    ));

  it('where the end of a stream is heard', () =>
    closesAlone(
      {
        subscribe(request) {
          const writer = request.accept({ alias: 1 }).openSubgroup(header(1));
          writer.onEnd({ streamEnded: boom });
          writer.write(obj(0, 'a'));
        },
      },
      async (session) => (await (await session.subscribe(track)).nextSubgroup())!.stop(1),
    ));
});

describe.each(['moq-lite-04', 'moq-lite-05'])('the same in %s', (protocol) => {
  const open = async ({ server: options }: { server?: object }) => {
    const both = memoryPair({ protocol });
    onTestFinished(() => both.drop());
    const [client, server] = await Promise.all([
      establish(both.client, { role: 'client', handlers: { subscribeNamespace: (r) => void r.accept() } }),
      establish(both.server, { role: 'server', ...options }),
    ]);
    return { client, server };
  };
  // moq-lite-05 asks for the track first.
  const known: SessionHandlers = { trackStatus: (request) => request.accept({}) };
  const lite = names.filter((name) => ['subscribe', 'fetch', 'subscribeNamespace', 'publishNamespace'].includes(name));
  it.each(lite)('%s, at once', (name) => closesAlone({ ...known, [name]: boom }, asks[name], open));
  it.each(lite)('%s, later', (name) => closesAlone({ ...known, [name]: boomLater }, asks[name], open));
});

describeVersions('an answer that does not fit on the wire', (version) => {
  // Of track properties draft-14 says those that it has parameters for.
  it('leaves a SUBSCRIBE that can still be refused, its alias free', async ({ skip }) => {
    skip(version === 'moq-00', 'moq-00 has no track properties of any length');
    // One pair: type 0x41, its length in three bytes, and almost all that a message can hold.
    const trackProperties = new Uint8Array(65_532);
    trackProperties.set([0x41, 0xc0, 0xff, 0xf8]);
    const largest = { group: 2 ** 50, object: 2 ** 50 };
    const { client } = await sessions({
      server: {
        handlers: {
          subscribe(request) {
            if (request.track.name === 'small') {
              request.accept({ alias: 1 }).done(publishDoneCodes.trackEnded, '');
              return;
            }
            expect(() => request.accept({ alias: 1, largest, trackProperties })).toThrow(/65535/);
            request.reject(0, 'too long');
          },
        },
      },
    });
    await expect(client.subscribe(track)).rejects.toMatchObject({ requestCode: 0 });
    const subscription = await client.subscribe({ ...track, name: 'small' });
    expect((await subscription.done).status).toBe(publishDoneCodes.trackEnded);
  });
});

describeVersions('what comes after the end', () => {
  it('is ended as well: a subscription that is answered as the session closes', async () => {
    const { client, server } = await sessions({
      server: {
        handlers: {
          subscribe(request) {
            request.accept({ alias: 1 });
            server.close(0, 'gone');
          },
        },
      },
    });
    const outcome = await client.subscribe(track).then(
      async (subscription) => (await subscription.done).by,
      () => 'refused',
    );
    expect(['session', 'publisher', 'refused']).toContain(outcome);
  });
});
