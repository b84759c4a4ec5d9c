import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { controlAuthoriser } from '../../src/relay/rights/control-authoriser.ts';
import { serviceToken, startTestControl } from './helpers.ts';

const limitMs = 2000;

it.each([
  ['its token', (minted: Record<string, string>) => ({ jti: minted.jti })],
  ['its viewer', () => ({ viewerId: 'x' })],
  ['its input', (_: unknown, inputId: string) => ({ inputId })],
] as const)('a relay ends a session within two seconds of the revocation of %s', async (_, what) => {
  await using test = await startTestControl();
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const { body: minted } = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, {
    body: { viewerId: 'x' },
  });
  const { issuer } = test.control;
  const authoriser = controlAuthoriser({ controlUrl: test.base, serviceToken, issuer, logger: silentLogger });
  const request = { path: `/playback/${input.id}?tok=${minted.token}`, remoteAddress: '127.0.0.1:1' };
  const grant = await authoriser.authorise(request);
  const ended = new Promise<string>((resolve) => grant.watch(resolve));
  test.clock.now += 1000;
  const revokedAt = performance.now();
  await test.call('POST', '/v1/playback/revocations', { body: what(minted, input.id) });
  expect(await ended).toBe('the token was revoked');
  expect(performance.now() - revokedAt).toBeLessThan(limitMs);
  await expect(authoriser.authorise(request)).rejects.toThrow(/^the token was revoked/);
});

it('a relay ends who publishes to an input that is disabled, and lets nobody in until it is enabled', async () => {
  await using test = await startTestControl();
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } });
  const { issuer } = test.control;
  const authoriser = controlAuthoriser({ controlUrl: test.base, serviceToken, issuer, logger: silentLogger });
  const publish = () =>
    authoriser.authorise({
      path: `/publish/${input.id}?sk=${input.stream_key_cleartext}`,
      remoteAddress: '127.0.0.1:1',
    });
  const grant = await publish();
  const ended = new Promise<string>((resolve) => grant.watch(resolve));
  test.clock.now += 1000;
  await test.call('POST', `/v1/live-inputs/${input.id}/disable`);
  expect(await ended).toMatch(/^the input was disabled/);
  await expect(publish()).rejects.toThrow(/^.*disabled/);
  test.clock.now += 1000;
  await test.call('POST', `/v1/live-inputs/${input.id}/enable`);
  expect((await publish()).lapsed()).toBeUndefined();
});
