import { expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import type { IncomingSubscribe, Publication } from '../../../src/session/types.ts';
import { connect, nextGroup, object, testRelay } from '../harness.ts';

/** Everything below the path of the session, which is the root of its namespaces. */
const belowPath: Authoriser = {
  async authorise({ path }) {
    const root = path.split('/').filter((field) => field !== '');
    const all = [everythingBelow(root)];
    return { kind: 'both', root, publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
  },
};

it('sessions with different roots meet at the same namespace, each naming it relative to its own', async () => {
  const relay = testRelay({}, belowPath);
  const requests: IncomingSubscribe[] = [];
  const publications: Publication[] = [];
  const publisher = await connect(relay, '/demo/room', {
    subscribe(request) {
      requests.push(request);
      publications.push(request.accept({ alias: 1 }));
    },
  });
  await publisher.session.publishNamespace(['alice', 'cam']);
  const cases = [
    ['/', ['demo', 'room', 'alice', 'cam']],
    ['/demo', ['room', 'alice', 'cam']],
    ['/demo/room/alice', ['cam']],
  ] as const;
  for (const [path, namespace] of cases) {
    const viewer = await connect(relay, path);
    const subscription = await viewer.session.subscribe({ namespace: [...namespace], name: 'video' });
    if (path === '/') {
      const writer = publications[0]!.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true });
      writer.write(object(1, 0));
      writer.finish();
    }
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0] });
  }
  expect(requests.map(({ track }) => track)).toEqual([{ namespace: ['alice', 'cam'], name: 'video' }]);
  const stranger = await connect(relay, '/demo/other');
  await expect(stranger.session.subscribe({ namespace: ['alice', 'cam'], name: 'video' })).rejects.toMatchObject({
    requestCode: expect.any(Number),
  });
  await relay.close();
});
