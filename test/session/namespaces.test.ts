import { expect, it } from 'vitest';
import type { IncomingNamespace } from '../../src/session/types.ts';
import { describeVersions, messages, rawPeer, request, sessions } from './helpers.ts';

async function announced(answer: (announcement: IncomingNamespace) => void = (announcement) => announcement.accept()) {
  const seen: IncomingNamespace[] = [];
  const both = await sessions({
    server: {
      handlers: {
        publishNamespace(announcement) {
          seen.push(announcement);
          answer(announcement);
        },
      },
    },
  });
  return { ...both, seen };
}

describeVersions('publishNamespace', () => {
  it('holds until it is withdrawn', async () => {
    const { client, seen } = await announced();
    const published = await client.publishNamespace(['stream', 'org_local', 'lv_1']);
    expect(seen[0]!.namespace).toEqual(['stream', 'org_local', 'lv_1']);
    let ended = false;
    void seen[0]!.ended.then(() => {
      ended = true;
    });
    await client.publishNamespace(['other']);
    expect(ended).toBe(false);
    published.withdraw();
    await seen[0]!.ended;
    await published.ended;
  });

  it('is withdrawn by FIN as well', async () => {
    const ends: Promise<void>[] = [];
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: {
        publishNamespace(announcement) {
          announcement.accept();
          ends.push(announcement.ended);
        },
      },
    });
    setup();
    const session = await opening;
    const stream = request(raw, { type: 'publishNamespace', requestId: 0, namespace: ['a'], parameters: {} });
    expect(await messages(stream.receive, 1)).toMatchObject([{ type: 'requestOk' }]);
    stream.send.finish();
    await ends[0];
    session.close(0, '');
  });

  it('is refused with code and reason', async () => {
    const { client } = await announced((announcement) => announcement.reject(0x1, 'wrong key'));
    await expect(client.publishNamespace(['a'])).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      requestCode: 0x1,
      reason: 'wrong key',
    });
  });

  it('can be revoked by the one who accepted it', async () => {
    const { client, seen } = await announced();
    const published = await client.publishNamespace(['a']);
    seen[0]!.cancel();
    await published.ended;
    await seen[0]!.ended;
  });

  it('ends with the session, on both sides', async () => {
    const { client, seen, drop } = await announced();
    const published = await client.publishNamespace(['a']);
    drop();
    await published.ended;
    await seen[0]!.ended;
  });

  it('rejects when the session ends before the answer', async () => {
    const { client, seen, drop } = await announced(() => {});
    const answer = client.publishNamespace(['a']);
    answer.catch(() => {});
    await expect.poll(() => seen.length).toBe(1);
    drop();
    await expect(answer).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });
});
