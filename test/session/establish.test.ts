import { describe, expect, it } from 'vitest';
import { StreamsError } from '../../src/core/errors.ts';
import { establish } from '../../src/session/establish.ts';
import { encode, header, messages, obj, pair, rawPeer, request, sessions, track } from './helpers.ts';

describe('establish', () => {
  it('exchanges SETUPs', async () => {
    const { client, server } = await sessions({ client: { path: '/playback/lv_1?tok=t', authority: 'relay:4443' } });
    expect(client.version).toBe('moqt-18');
    expect(server.peer).toEqual({
      path: '/playback/lv_1?tok=t',
      authority: 'relay:4443',
      implementation: 'streams',
      tokens: [],
    });
    expect(client.peer).toEqual({ path: '', authority: '', implementation: 'streams', tokens: [] });
  });

  it('takes the path from the transport where SETUP has none', async () => {
    const both = pair({ path: '/from-connect' });
    const opening = establish(both.server, { role: 'server' });
    await establish(both.client, { role: 'client' });
    expect((await opening).peer.path).toBe('/from-connect');
  });

  it('refuses a protocol it does not speak', async () => {
    const both = pair({ protocol: 'moqt-99' });
    await expect(establish(both.client, { role: 'client' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await both.server.closed).toMatchObject({ by: 'peer', code: 0x15 });
  });

  it('tells a refused client why, and handles none of its requests', async () => {
    const both = pair();
    const seen: string[] = [];
    const server = establish(both.server, {
      role: 'server',
      authorise: (peer) => {
        seen.push(peer.path);
        throw new StreamsError('TOKEN_EXPIRED', `token expired ${'.'.repeat(2000)}`);
      },
    });
    const client = establish(both.client, { role: 'client', path: '/playback/x?tok=old' });
    await expect(server).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    await expect(client).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const close = await both.client.closed;
    expect(close).toMatchObject({ by: 'peer', code: 0x2 });
    expect(close.reason.startsWith('token expired')).toBe(true);
    expect(close.reason.length).toBe(1024);
    expect(seen).toEqual(['/playback/x?tok=old']);
  });

  it('serves with the handlers that authorise answers', async () => {
    const { client } = await sessions({
      client: { path: '/p' },
      server: { authorise: async () => ({ subscribe: (incoming) => incoming.reject(0x10, 'not here') }) },
    });
    await expect(client.subscribe(track)).rejects.toMatchObject({ requestCode: 0x10, reason: 'not here' });
  });

  it('gives up on a silent peer', async () => {
    const both = pair();
    await expect(establish(both.client, { role: 'client', setupTimeoutMs: 20 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(await both.server.closed).toMatchObject({ code: 0x11 });
  });

  it('rejects when the connection is lost before it was open', async () => {
    const both = pair();
    const opening = establish(both.client, { role: 'client' });
    both.drop();
    await expect(opening).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });

  it('passes code and reason of a close to the peer', async () => {
    const { client, server } = await sessions();
    client.close(0x12, 'enough');
    expect(await server.closed).toEqual({ by: 'peer', code: 0x12, reason: 'enough' });
    expect(await client.closed).toEqual({ by: 'local', code: 0x12, reason: 'enough' });
    await expect(client.subscribe(track)).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    await expect(client.publishNamespace(['a'])).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });

  it('takes a close for a close when the control stream is heard to end first', async () => {
    const { raw, opening, control, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    control.finish();
    await new Promise((resolve) => setImmediate(resolve));
    raw.close({ code: 0x2, reason: 'expired' });
    expect(await session.closed).toEqual({ by: 'peer', code: 0x2, reason: 'expired' });
  });

  it('tells of a GOAWAY', async () => {
    const { opening, control, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    control.write(encode({ type: 'goaway', uri: 'moqt://other', timeoutMs: 500, requestId: 0 }));
    expect(await session.goaway).toEqual({ uri: 'moqt://other', timeoutMs: 500 });
    control.write(encode({ type: 'goaway', uri: '', timeoutMs: 0, requestId: 0 }));
    expect(await session.closed).toMatchObject({ by: 'local', code: 0x3 });
  });

  it('keeps requests and data that come before SETUP', async () => {
    const tracks: string[] = [];
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: {
        subscribe(incoming) {
          tracks.push(incoming.track.name);
          incoming.accept({ alias: 1 }).openSubgroup(header(3)).write(obj(0, 'early'));
        },
      },
    });
    const early = request(raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    await Promise.resolve();
    expect(tracks).toEqual([]);
    setup();
    await opening;
    expect(await messages(early.receive, 1)).toMatchObject([{ type: 'subscribeOk', trackAlias: 1 }]);
    expect(tracks).toEqual([track.name]);
  });

  it('resets requests beyond the bound before SETUP', async () => {
    const { raw, setup, opening } = await rawPeer('server', {
      handlers: { subscribe: (incoming) => incoming.reject(0x10, '') },
    });
    const streams = Array.from({ length: 40 }, (_, i) =>
      request(raw, { type: 'subscribe', requestId: i * 2, track: { ...track, name: `${i}` }, parameters: {} }),
    );
    await expect(streams[39]!.receive.read()).rejects.toMatchObject({ resetCode: 0x9 });
    setup();
    await opening;
    expect(await messages(streams[31]!.receive, 1)).toMatchObject([{ type: 'requestError', code: 0x10 }]);
  });
});
