import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import type { LogFields, Logger } from '../../../src/core/log.ts';
import type { RelayLimits } from '../../../src/relay/limits.ts';
import { createRelay, type RelayCore } from '../../../src/relay/relay.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { TransportClose } from '../../../src/transport/transport.ts';
import { eventually } from '../eventually.ts';
import { connect, nextGroup, openAuthoriser, TestPublisher, testRelay, track } from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

const start = (authoriser: Authoriser, limits: Partial<RelayLimits> = {}): RelayCore => {
  relay = testRelay(limits, authoriser);
  return relay;
};
const refusing = (error: StreamsError): Authoriser => ({ authorise: () => Promise.reject(error) });

async function refusal(error: StreamsError): Promise<TransportClose> {
  const pair = memoryPair({ protocol: 'moqt-18', path: '/playback/x?tok=secret' });
  void start(refusing(error)).serve(pair.server);
  const { establish } = await import('../../../src/session/establish.ts');
  await expect(establish(pair.client, { role: 'client' })).rejects.toBeInstanceOf(StreamsError);
  return pair.client.closed;
}

describe('a session', () => {
  it('refused for its credential is UNAUTHORIZED, with the reason', async () => {
    expect(await refusal(new StreamsError('TOKEN_INVALID', 'unknown or inactive signing key'))).toEqual({
      by: 'peer',
      code: codes.session.unauthorized,
      reason: 'auth_failed: unknown or inactive signing key',
    });
  });

  it('with no path of ours is INVALID_PATH; one that cannot be judged now is no auth_failed', async () => {
    expect(await refusal(new StreamsError('NOT_FOUND', 'no such path'))).toMatchObject({
      code: codes.session.invalidPath,
      reason: 'no such path',
    });
    await relay.close();
    expect(await refusal(new StreamsError('API_UNREACHABLE', 'the control plane does not answer'))).toMatchObject({
      code: codes.session.internalError,
      reason: 'the control plane does not answer',
    });
  });

  it('is closed when its grant lapses, and subscribes to nothing from then on', async () => {
    let lapsed: string | undefined;
    let end: (reason: string) => void = () => {};
    const authoriser: Authoriser = {
      async authorise(request) {
        const grant = await openAuthoriser.authorise(request);
        if (grant.kind === 'publish') return grant;
        return {
          ...grant,
          lapsed: () => lapsed,
          watch: (callback) => {
            end = callback;
            return () => {};
          },
        };
      },
    };
    const publisher = await TestPublisher.start(start(authoriser));
    const { session } = await connect(relay, '/playback/lv_one');
    const subscription = await session.subscribe(track);
    publisher.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    lapsed = 'the token has expired';
    await expect(session.subscribe({ ...track, name: 'audio' })).rejects.toMatchObject({
      requestCode: codes.requestError.expiredAuthToken,
      reason: `auth_failed: ${lapsed}`,
    });
    end(lapsed);
    expect(await session.closed).toEqual({
      by: 'peer',
      code: codes.session.unauthorized,
      reason: `auth_failed: ${lapsed}`,
    });
    expect(await subscription.done).toMatchObject({ by: 'session' });
    await eventually(() => expect(relay.stats()).toMatchObject({ subscriptions: 0, sessions: 1 }));
  });

  it('of a token for some tracks gets those and the catalogs', async () => {
    const asked: (string | undefined)[] = [];
    const authoriser: Authoriser = {
      async authorise(request) {
        asked.push(request.origin);
        const grant = await openAuthoriser.authorise(request);
        return grant.kind === 'publish' ? grant : { ...grant, tracks: ['video/720p'] };
      },
    };
    let alias = 0;
    await TestPublisher.start(start(authoriser), (request) => void request.accept({ alias: alias++ }));
    const { session } = await connect(relay, '/playback/lv_one');
    await session.subscribe(track);
    for (const name of ['.catalog', 'catalog', 'catalog.json']) await session.subscribe({ ...track, name });
    await session.subscribe({ ...track, name: 'cmaf/video/720p' });
    for (const name of ['video/1080p', 'audio', 'video', '', 'cmaf/audio', 'cmaf/', 'cmaf/cmaf/video/720p'])
      await expect(session.subscribe({ ...track, name })).rejects.toMatchObject({
        requestCode: codes.requestError.unauthorized,
        reason: 'auth_failed: not a track of this token',
      });
    expect(asked).toEqual([undefined, undefined]);
  });

  it('that never says SETUP is closed at the deadline', async () => {
    const pair = memoryPair({ protocol: 'moqt-18', path: '/playback/x' });
    await start(openAuthoriser, { handshakeMs: 20 }).serve(pair.server);
    expect(await pair.client.closed).toMatchObject({ by: 'peer', code: codes.session.controlMessageTimeout });
    expect(relay.stats()).toMatchObject({ sessions: 0, sessionsRefused: 1, sessionsAccepted: 0 });
  });

  it('beyond the limit is turned away; the others stay', async () => {
    const { session } = await connect(start(openAuthoriser, { maxSessions: 1 }), '/playback/lv_one');
    await expect(connect(relay, '/playback/lv_one')).rejects.toThrow(/full/);
    expect(relay.stats().sessions).toBe(1);
    session.close(0, 'bye');
    await eventually(() => expect(relay.stats().sessions).toBe(0));
    await connect(relay, '/playback/lv_one');
  });

  it('that speaks garbage is closed alone, with one line, without its query', async () => {
    const lines: [string, LogFields | undefined][] = [];
    const write = (message: string, fields?: LogFields): void => void lines.push([message, fields]);
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    relay = createRelay({ authoriser: openAuthoriser, logger });
    const { session } = await connect(relay, '/playback/lv_one');
    lines.length = 0;
    const pair = memoryPair({ protocol: 'moqt-18', path: '/playback/x?tok=secret' });
    const served = relay.serve(pair.server);
    pair.client.openUni().write(new Uint8Array(64).fill(0xff));
    await served;
    expect((await pair.client.closed).code).toBe(codes.session.protocolViolation);
    expect(lines.length).toBe(1);
    expect(lines[0]).toMatchObject(['session refused', { path: '/playback/x', code: 'PROTOCOL_VIOLATION' }]);
    await expect(session.subscribe(track)).rejects.toMatchObject({ requestCode: codes.requestError.doesNotExist });
  });

  it('sees the relay close, and what it subscribed to end', async () => {
    const publisher = await TestPublisher.start(start(openAuthoriser));
    const { session } = await connect(relay, '/playback/lv_one');
    await session.subscribe(track);
    await relay.close();
    expect(await session.closed).toMatchObject({ by: 'peer', code: codes.session.noError });
    expect(await publisher.client.session.closed).toMatchObject({ by: 'peer', code: codes.session.noError });
    expect(relay.stats()).toMatchObject({ sessions: 0, tracks: 0, namespaces: 0, cacheBytes: 0 });
  });
});
