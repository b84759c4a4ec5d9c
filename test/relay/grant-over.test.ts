import { expect, it } from 'vitest';
import type { Authoriser, Grant } from '../../src/access/grant.ts';
import { eventually } from './eventually.ts';
import { connect, openAuthoriser, testRelay } from './harness.ts';

it('who granted a session is told once how it ended', async () => {
  const told: Parameters<NonNullable<Grant['over']>>[0][] = [];
  const asked: (string | undefined)[] = [];
  const accounting: Authoriser = {
    async authorise(request) {
      asked.push(request.via);
      return { ...(await openAuthoriser.authorise(request)), over: (how) => told.push(how) };
    },
  };
  const relay = testRelay({}, accounting);
  const viewer = await connect(relay, '/playback/lv_one');
  expect(told).toEqual([]);
  viewer.session.close(0, 'seen enough');
  await eventually(() => expect(told.length).toBe(1));
  expect(asked).toEqual(['memory']);
  expect(told).toEqual([{ reason: 'seen enough', bytesSent: expect.any(Number), bytesReceived: expect.any(Number) }]);
  await relay.close();
  expect(told.length).toBe(1);
});
