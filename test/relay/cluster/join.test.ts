import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { asksToJoin, joiningPath } from '../../../src/relay/cluster/join.ts';
import { createRelay, type RelayCore } from '../../../src/relay/relay.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { eventually } from '../eventually.ts';
import { connect } from '../harness.ts';
import { node } from './mesh.ts';

const relays: RelayCore[] = [];
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()));
});

/** `?jwt=` says what a session may: `member`, `limited` (a member, for `demo` alone), `plain`. */
const authoriser: Authoriser = {
  async authorise({ path }) {
    const url = new URL(path, 'https://relay.invalid');
    const token = url.searchParams.get('jwt') ?? 'plain';
    const root = url.pathname.split('/').filter((field) => field !== '');
    const rights = [everythingBelow(token === 'limited' ? ['demo'] : [])];
    return {
      kind: 'both',
      root,
      cluster: token !== 'plain',
      publish: rights,
      subscribe: rights,
      lapsed: () => undefined,
      watch: () => () => {},
    };
  },
};

function accepting(): RelayCore {
  const relay = createRelay({ authoriser, logger: silentLogger });
  relays.push(relay);
  return relay;
}

/** Resolves when the link is open; rejects with its refusal. */
function dial(to: RelayCore, path: string): { relay: RelayCore; opened: Promise<void> } {
  const relay = node(5n);
  relays.push(relay);
  const pair = memoryPair({ protocol: 'moqt-18' });
  void to.serve(pair.server);
  const opened = new Promise<void>((resolve, reject) => {
    relay.link(pair.client, { path, authority: '', opened: () => resolve() }).catch(reject);
  });
  return { relay, opened };
}

describe('the path of a link', () => {
  it.each([
    ['/', undefined, '/?cluster=1'],
    ['/', 'mine', '/?jwt=mine&cluster=1'],
    ['/?jwt=its&cost=3', 'mine', '/?jwt=its&cluster=1'],
  ])('%s with the token %s is %s', (path, token, expected) => {
    expect(joiningPath(path, token)).toBe(expected);
    expect(asksToJoin(expected)).toBe(true);
    expect(asksToJoin(path)).toBe(false);
  });
});

describe('a relay that wants to join', () => {
  it.each([
    ['/?cluster=1', 'a relay of the cluster needs a token'],
    ['/?jwt=plain&cluster=1', 'the token has no cluster right'],
    ['/demo?jwt=member&cluster=1', 'the path is not /'],
  ])('with the path %s is refused in words', async (path, reason) => {
    const to = accepting();
    await expect(dial(to, path).opened).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(reason),
    });
    expect(to.stats().peers).toBe(0);
  });

  it('with limited rights shares what they cover, both ways', async () => {
    const to = accepting();
    const { relay, opened } = dial(to, '/?jwt=limited&cluster=1');
    await opened;
    for (const [name, at] of [
      ['near', relay],
      ['far', to],
    ] as const) {
      const { session } = await connect(at, '/');
      await session.publishNamespace(['other', name]);
      await session.publishNamespace(['demo', name]);
    }
    const shown = (core: RelayCore) => core.namespaces().map((namespace) => namespace.join('/'));
    await eventually(() => expect(shown(to)).toEqual(expect.arrayContaining(['demo/near', 'demo/far'])));
    await eventually(() => expect(shown(relay)).toEqual(expect.arrayContaining(['demo/near', 'demo/far'])));
    expect(shown(to)).not.toContain('other/near');
    expect(shown(relay)).not.toContain('other/far');
  });
});
