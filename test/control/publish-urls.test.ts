import { expect, it } from 'vitest';
import { startTestControl } from './helpers.ts';

it('an SRT input gets the URL that opens it, from create and rotate, once the engine listens', async () => {
  await using test = await startTestControl();
  const body = { name: 'a', ingest: 'srt' };
  expect((await test.call('POST', '/v1/live-inputs', { body })).body.urls).toBeUndefined();
  test.control.setEndpoints({ rtmpUrl: 'rtmp://127.0.0.1:1', srtUrl: 'srt://127.0.0.1:9' });
  const created = (await test.call('POST', '/v1/live-inputs', { body })).body;
  const url = (srtPassphrase: string) => ({
    srt: `srt://127.0.0.1:9?streamid=${created.id}&passphrase=${srtPassphrase}&pbkeylen=32`,
    srtPassphrase,
  });
  expect(created.urls).toEqual(url(created.urls.srtPassphrase));
  expect(created.urls.srtPassphrase).not.toContain(created.stream_key_cleartext);
  const rotated = (await test.call('POST', `/v1/live-inputs/${created.id}/rotate-stream-key`)).body;
  expect(rotated.urls).toEqual(url(rotated.urls.srtPassphrase));
  expect(rotated.urls.srtPassphrase).not.toBe(created.urls.srtPassphrase);
  expect(rotated.stream_key_cleartext).not.toBe(created.stream_key_cleartext);
  expect((await test.call('GET', '/v1/status')).body.urls.srt).toBe('srt://127.0.0.1:9');
});

it('a WHIP input gets its endpoint under the address of this server', async () => {
  await using test = await startTestControl();
  test.control.setEndpoints({ engineUrl: 'http://127.0.0.1:1' });
  const { body } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'whip' } });
  expect(body.urls).toEqual({ whip: `${test.base}/whip/${body.id}` });
});

it('an fMP4 input gets where to push it, and where MoQT publishers connect once there is a relay', async () => {
  await using test = await startTestControl();
  const create = async () => (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } })).body;
  test.control.setEndpoints({ engineUrl: 'http://127.0.0.1:1' });
  const first = await create();
  expect(first.urls).toEqual({ fmp4: `${test.base}/ingest/${first.id}` });
  test.control.setEndpoints({ engineUrl: 'http://127.0.0.1:1', relayUrl: 'https://127.0.0.1:2' });
  const { id, stream_key_cleartext: key, urls } = await create();
  expect(urls.moqt).toBe(`https://127.0.0.1:2/publish/${id}?sk=${key}`);
});

it('an RTMP input gets the URL over TLS too, where the engine listens for it', async () => {
  await using test = await startTestControl();
  const create = async () => (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  test.control.setEndpoints({ rtmpUrl: 'rtmp://127.0.0.1:1' });
  expect((await create()).urls.rtmps).toBeUndefined();
  test.control.setEndpoints({ rtmpUrl: 'rtmp://127.0.0.1:1', rtmpsUrl: 'rtmps://media.example:2' });
  const { id, stream_key_cleartext: key, urls } = await create();
  expect(urls).toEqual({
    rtmp: `rtmp://127.0.0.1:1/live/${id}?sk=${key}`,
    rtmps: `rtmps://media.example:2/live/${id}?sk=${key}`,
    rtmpServer: 'rtmp://127.0.0.1:1/live',
    rtmpStreamKey: `${id}?sk=${key}`,
  });
});
