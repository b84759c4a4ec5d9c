import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../src/session/types.ts';
import { eventually } from '../relay/eventually.ts';
import { nextGroup } from '../relay/harness.ts';
import { join, listed, publish, said } from './cluster-client.ts';
import { ClusterRun, type Node } from './cluster-nodes.ts';
import { Hosts, whyNoHosts } from './hosts.ts';

const missing = await whyNoHosts();

const hosts = new Hosts();
let run: ClusterRun | undefined;
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.close(0, '');
  await run?.end();
  await hosts.end();
});

describe('a cluster on three hosts', () => {
  it('loses what is behind a cut cable within seconds, and has it again when the cable is back', {
    timeout: 90_000,
  }, async ({ skip }) => {
    skip(missing !== undefined, missing);
    run = await ClusterRun.begin();
    const [first, second, third] = await hosts.make(3);
    const nodes: Node[] = [];
    for (const [index, host] of [first!, second!, third!].entries()) {
      const root = index === 0 ? '' : `root = "${first!.address}:4443"\n`;
      nodes.push(
        await run.node({
          name: `host${index + 1}`,
          host: host.management,
          bind: '0.0.0.0',
          port: 4443,
          within: host.within,
          cluster: `${root}node = "${host.address}:4443"\ntoken = "FOLDER/cluster.jwt"\n[client]\ntls.disable_verify = true`,
        }),
      );
    }
    const [one, two, three] = nodes as [Node, Node, Node];
    await eventually(() => expect(said(two, 'cluster peer joined')).toHaveLength(2));
    const source = await publish(three, ['demo', 'three']);
    const viewer = await join(two);
    sessions.push(source.session, viewer);
    await listed(nodes, ['demo/three']);
    const track = { namespace: ['demo', 'three'], name: 'video' };
    const before = await viewer.subscribe(track);
    source.send(1);
    expect(await nextGroup(before)).toMatchObject({ group: 1, ids: [0, 1] });

    await third!.setLink('down');
    await listed([one, two], [], 6000);
    await listed([three], ['demo/three']);
    expect(await before.done).toMatchObject({ by: 'publisher' });

    await third!.setLink('up');
    await listed(nodes, ['demo/three'], 15_000);
    const after = await viewer.subscribe(track);
    source.send(2);
    // The newest group there was comes first.
    const groups = [await nextGroup(after), await nextGroup(after)];
    expect(groups.map(({ group, ids }) => [group, ids])).toEqual([1, 2].map((group) => [group, [0, 1]]));
  });
});
