import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser, Grant } from '../../../src/access/grant.ts';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { openAuthoriser, TestPublisher, testRelay, track } from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

/** Viewers need the token `good-<id>`, in the URL or shown otherwise; `end` makes the tokens of requests lapse, not that of the session, which is watched first. */
function strict(): { authoriser: Authoriser; end: () => void } {
  const watchers = new Set<(reason: string) => void>();
  const authoriser: Authoriser = {
    async authorise(request): Promise<Grant> {
      const grant = await openAuthoriser.authorise(request);
      if (grant.kind === 'publish') return grant;
      const url = new URL(request.path, 'https://relay.test');
      const shown = url.searchParams.get('tok') ?? request.token;
      if (shown !== `good-${url.pathname.split('/')[2]}`)
        throw new StreamsError('UNAUTHORIZED', 'the token is not good');
      const watch: Grant['watch'] = (end) => {
        watchers.add(end);
        return () => watchers.delete(end);
      };
      return { ...grant, watch };
    },
  };
  const end = (): void => {
    for (const lapse of [...watchers].slice(1)) lapse('the token has expired');
  };
  return { authoriser, end };
}

const token = (text: string) => ({ type: 0, value: utf8(text) });

async function connect(path: string, tokens = [] as ReturnType<typeof token>[]) {
  const pair = memoryPair({ protocol: 'moqt-18', path });
  void relay.serve(pair.server);
  return establish(pair.client, { role: 'client', tokens });
}

describe('a token in SETUP', () => {
  it('opens the session like one in the URL, which goes before it', async () => {
    relay = testRelay({}, strict().authoriser);
    await TestPublisher.start(relay);
    const session = await connect('/playback/lv_one', [token('good-lv_one')]);
    await session.subscribe(track);
    await expect(connect('/playback/lv_one', [token('bad')])).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'auth_failed: the token is not good',
    });
    await expect(connect('/playback/lv_one?tok=bad', [token('good-lv_one')])).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });
});

describe('a token in a request', () => {
  it('allows what the session may not', async () => {
    const { authoriser, end } = strict();
    relay = testRelay({}, authoriser);
    const publisher = await TestPublisher.start(relay);
    const session = await connect('/playback/lv_two?tok=good-lv_two');
    const unauthorized = { requestCode: codes.requestError.unauthorized };
    await expect(session.subscribe(track)).rejects.toMatchObject(unauthorized);
    await expect(session.subscribe(track, { tokens: [token('bad')] })).rejects.toMatchObject({
      ...unauthorized,
      reason: 'auth_failed: the token is not good',
    });
    const tokens = [token('good-lv_one')];
    const subscription = await session.subscribe(track, { tokens });
    publisher.group(1, [10]);
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 1 });
    const range = { track, start: { group: 1, object: 0 }, end: { group: 1, object: 0 } };
    await expect(session.fetch(range)).rejects.toMatchObject(unauthorized);
    expect(await (await session.fetch(range, { tokens })).next()).toMatchObject({ groupId: 1 });
    end();
    expect(await subscription.done).toMatchObject({
      by: 'publisher',
      status: codes.publishDone.unauthorized,
      reason: 'auth_failed: the token has expired',
    });
    await expect(session.trackStatus(track)).rejects.toMatchObject(unauthorized);
  });
});
