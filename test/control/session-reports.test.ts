import { expect, it } from 'vitest';
import { engineProof } from '../../src/access/engine-proof.ts';
import { silentLogger } from '../../src/core/log.ts';
import { controlAuthoriser } from '../../src/relay/control-authoriser.ts';
import { serviceToken, startTestControl } from './helpers.ts';

it('the relay tells of each session while it goes on and when it is over', async () => {
  await using test = await startTestControl({ now: Date.now });
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const { body: minted } = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, {
    body: { viewerId: 'x' },
  });
  const { issuer } = test.control;
  const authoriser = controlAuthoriser({ controlUrl: test.base, serviceToken, issuer, logger: silentLogger });
  const open = (path: string, via?: string) =>
    authoriser.authorise({ path, remoteAddress: '127.0.0.1:1', ...(via !== undefined && { via }) });
  const proof = engineProof(serviceToken, `publish ${input.id}`);
  const publisher = await open(`/publish/${input.id}?engine=${proof}`, 'quic');
  const viewer = await open(`/playback/${input.id}?tok=${minted.token}`, 'webtransport');
  await open(`/playback/${input.id}?tok=${minted.token}`); // plain HTTP is no session
  const read = async (path: string) => (await test.call('GET', `/v1/analytics/${path}`)).body;
  await expect.poll(() => read('viewers'), { timeout: 5000 }).toMatchObject({ viewers: 1 });
  await expect.poll(async () => (await read('broadcasts')).items, { timeout: 5000 }).toMatchObject([{ endedAt: null }]);
  viewer.over?.({ reason: 'closed_by_caller', bytesSent: 5000, bytesReceived: 1 });
  publisher.over?.({ reason: 'finished', bytesSent: 1, bytesReceived: 7000 });
  await expect.poll(() => read('viewers'), { timeout: 5000 }).toMatchObject({ viewers: 0 });
  await expect
    .poll(async () => (await read('viewer-sessions')).items, { timeout: 5000 })
    .toMatchObject([
      { inputId: input.id, viewerId: 'x', transport: 'webtransport', bytes: 5000, reason: 'closed_by_caller' },
    ]);
  await expect
    .poll(async () => (await read('broadcasts')).items, { timeout: 5000 })
    .toMatchObject([{ inputId: input.id, bytes: 7000, reason: 'finished', endedAt: expect.any(String) }]);
});
