import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../src/session/types.ts';
import { eventually } from '../relay/eventually.ts';
import { nextGroup } from '../relay/harness.ts';
import { join, listed, publish, said } from './cluster-client.ts';
import { ClusterRun, freePorts, type Node } from './cluster-nodes.ts';

let run: ClusterRun | undefined;
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.close(0, '');
  await run?.end();
  run = undefined;
});

const url = (port: number) => `https://127.0.0.1:${port}/`;

/** A root and two leaves that find each other through it. */
async function rootAndLeaves(): Promise<[Node, Node, Node]> {
  run = await ClusterRun.begin();
  const [root, one, two] = (await freePorts(3)) as [number, number, number];
  const leaf = (port: number) => `root = "127.0.0.1:${root}"\nnode = "127.0.0.1:${port}"\ntoken = "FOLDER/cluster.jwt"`;
  return [
    await run.node({ name: 'root', port: root, cluster: `node = "127.0.0.1:${root}"\ntoken = "FOLDER/cluster.jwt"` }),
    await run.node({ name: 'one', port: one, cluster: leaf(one) }),
    await run.node({ name: 'two', port: two, cluster: leaf(two) }),
  ];
}

describe('a cluster of relay processes', () => {
  it('shows on every node what is published on another, pulled once; what a killed node had goes, and comes back', {
    timeout: 60_000,
  }, async () => {
    const nodes = await rootAndLeaves();
    const [root, one, two] = nodes;
    // One link for each pair: the leaves dial the root, and the smaller of them the other.
    await eventually(() => expect(said(one, 'cluster member found')).toHaveLength(1));
    await eventually(() => expect(said(one, 'cluster peer joined')).toHaveLength(2));
    expect(said(two, 'cluster member found')).toEqual([]);
    expect(said(root, 'cluster member found')).toEqual([]);
    for (const node of nodes) expect(await node.metrics()).toContain('\nstreams_relay_peers 2\n');

    const first = await publish(one, ['demo', 'one']);
    const second = await publish(root, ['demo', 'root']);
    sessions.push(first.session, second.session);
    await listed(nodes, ['demo/one', 'demo/root']);

    const subscriptions = [];
    for (const node of [two, two, root, one]) {
      const viewer = await join(node);
      sessions.push(viewer);
      subscriptions.push(await viewer.subscribe({ namespace: ['demo', 'one'], name: 'video' }));
    }
    expect(first.requests).toHaveLength(1);
    first.send(1);
    for (const subscription of subscriptions) {
      expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0, 1], end: 'fin' });
    }
    const viewer = await join(two);
    sessions.push(viewer);
    const far = await viewer.subscribe({ namespace: ['demo', 'root'], name: 'video' });
    second.send(7);
    expect(await nextGroup(far)).toMatchObject({ group: 7 });

    await one.kill();
    await listed([root, two], ['demo/root'], 6000);
    expect(await subscriptions[0]!.done).toMatchObject({ by: 'publisher' });
    await one.start();
    sessions.push((await publish(one, ['demo', 'one'])).session);
    await listed(nodes, ['demo/one', 'demo/root'], 15_000);
    // A node that leaves says so: nobody has to wait for its silence.
    await one.stop();
    await listed([root, two], ['demo/root'], 3000);
  });

  it('refuses a relay without the cluster right, in words on both sides', { timeout: 60_000 }, async () => {
    run = await ClusterRun.begin();
    const [a, b, c, d] = (await freePorts(4)) as [number, number, number, number];
    const nodes = [
      await run.node({ name: 'a', port: a, cluster: `node = "${url(a)}"` }),
      await run.node({ name: 'b', port: b, cluster: `connect = ["${url(a)}"]` }),
      await run.node({ name: 'c', port: c, cluster: `connect = ["${url(a)}"]\ntoken = "FOLDER/plain.jwt"` }),
      await run.node({ name: 'd', port: d, cluster: `connect = ["${url(a)}"]\ntoken = "FOLDER/cluster.jwt"` }),
    ] as const;
    const [accepting, ...dialling] = nodes;
    const why = ['a relay of the cluster needs a token', 'the token has no cluster right'];
    for (const [index, reason] of why.entries()) {
      await eventually(() => {
        const refused = expect.objectContaining({ code: 'UNAUTHORIZED', reason: expect.stringContaining(reason) });
        expect(said(accepting, 'session refused')).toContainEqual(refused);
        expect(said(dialling[index]!, 'cluster peer refuses this relay')).toContainEqual(refused);
      });
    }
    await eventually(() => expect(said(nodes[3], 'cluster peer joined')).toHaveLength(1));
    sessions.push((await publish(accepting, ['demo', 'a'])).session);
    await listed([nodes[3]], ['demo/a']);
    await listed([nodes[1], nodes[2]], []);
    const secrets = await Promise.all(nodes.map((node) => JSON.stringify(node.lines)));
    for (const text of secrets) expect(text).not.toContain('eyJ');
  });
});
