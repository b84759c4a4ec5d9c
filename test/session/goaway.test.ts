import { describe, expect, it } from 'vitest';
import { allObjects, encode, header, messages, obj, rawPeer, request, sessions, subscribed, track } from './helpers.ts';

describe('GOAWAY', () => {
  it('tells where to go and how long there is; what is under way goes on, new requests are refused', async () => {
    const { client, server, subscription, publication } = await subscribed();
    server.sendGoaway({ uri: 'https://other.example:4443', timeoutMs: 3000 });
    server.sendGoaway();
    expect(await client.goaway).toEqual({ uri: 'https://other.example:4443', timeoutMs: 3000 });
    const writer = publication.openSubgroup(header(5));
    writer.write(obj(0, 'still'));
    writer.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([obj(0, 'still')]);
    for (const refused of [
      client.subscribe({ ...track, name: 'b' }),
      client.publishNamespace(['a']),
      client.trackStatus(track),
    ]) {
      await expect(refused).rejects.toMatchObject({ requestCode: 0x6 });
    }
  });

  it('of a client is heard too, but cannot name a place', async () => {
    const { client, server } = await sessions();
    expect(() => client.sendGoaway({ uri: 'https://x' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    client.sendGoaway({ timeoutMs: 5 });
    expect(await server.goaway).toEqual({ uri: '', timeoutMs: 5 });
  });

  it('names the first request that was not seen', async () => {
    const { raw, opening, setup } = await rawPeer('server');
    setup();
    const session = await opening;
    const bidi = request(raw, { type: 'trackStatus', requestId: 0, track, parameters: {} });
    await messages(bidi.receive, 1);
    session.sendGoaway({ timeoutMs: 7 });
    const control = (await raw.acceptUni())!;
    expect((await messages(control, 2))[1]).toEqual({ type: 'goaway', uri: '', timeoutMs: 7, requestId: 2 });
  });

  it.each([
    ['with the request id of the other side', { type: 'goaway', uri: '', timeoutMs: 0, requestId: 2 } as const, 0x4],
    ['without a request id', { type: 'goaway', uri: '', timeoutMs: 0 } as const, 0x3],
    ['of a client with a place', { type: 'goaway', uri: 'a', timeoutMs: 0, requestId: 1 } as const, 0x3],
  ])('%s closes the session', async (_, message, code) => {
    const { raw, opening, setup, control } = await rawPeer('server');
    setup();
    await opening;
    control.write(encode(message));
    expect(await raw.closed).toMatchObject({ code });
  });

  it('twice on one stream closes the session', async () => {
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: { subscribe: (incoming) => void incoming.accept({ alias: 1 }) },
    });
    setup();
    await opening;
    const bidi = request(raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    const goaway = encode({ type: 'goaway', uri: '', timeoutMs: 0 });
    bidi.send.write(goaway);
    bidi.send.write(goaway);
    expect(await raw.closed).toMatchObject({ code: 0x3 });
  });
});
