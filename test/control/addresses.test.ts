import { describe, expect, it } from 'vitest';
import { type Endpoints, type Listens, toldEndpoints } from '../../src/control/addresses.ts';
import { machineAddress } from '../../src/control/machine-address.ts';
import { startTestControl } from './helpers.ts';

const listens: Listens = { host: '0.0.0.0', port: 8080 };
const endpoints: Endpoints = {
  relayUrl: 'https://0.0.0.0:4443',
  rtmpUrl: 'rtmp://0.0.0.0:1935',
  srtUrl: 'srt://[::]:9000',
  engineUrl: 'http://127.0.0.1:1',
};
const certified: Listens = {
  ...listens,
  https: { port: 8443, name: 'video.example.com', covers: (name) => name === 'video.example.com' },
};
const machine = machineAddress() ?? '127.0.0.1';
const named = (name: string) => ({
  relayUrl: `https://${name}:4443`,
  rtmpUrl: `rtmp://${name}:1935`,
  srtUrl: `srt://${name}:9000`,
});

describe('a server that is bound to all addresses', () => {
  it('is told by the name that the request came by, with its port', () => {
    const told = toldEndpoints(endpoints, listens, { authority: 'video.example.com:80', secure: false });
    expect(told).toMatchObject({
      ...named('video.example.com'),
      publicHttpUrl: 'http://video.example.com:80',
      addresses: { by: 'request', name: 'video.example.com' },
      engineUrl: 'http://127.0.0.1:1',
    });
    expect(toldEndpoints(endpoints, listens, { authority: '[2001:db8::5]:8080', secure: true })).toMatchObject({
      ...named('[2001:db8::5]'),
      publicHttpUrl: 'https://[2001:db8::5]:8080',
    });
  });

  it('offers TLS to who came without, where its certificate has the name', () => {
    const told = toldEndpoints(endpoints, certified, { authority: 'video.example.com:8080', secure: false });
    expect(told.publicHttpUrl).toBe('https://video.example.com:8443');
    const other = toldEndpoints(endpoints, certified, { authority: 'other.example.com:8080', secure: false });
    expect(other.publicHttpUrl).toBe('http://other.example.com:8080');
  });

  it('is told by its certificate, else by an address of the machine, where no name came', () => {
    expect(toldEndpoints(endpoints, certified)).toMatchObject({
      ...named('video.example.com'),
      publicHttpUrl: 'https://video.example.com:8443',
      addresses: { by: 'certificate', name: 'video.example.com' },
    });
    expect(toldEndpoints(endpoints, listens)).toMatchObject({
      ...named(machine),
      addresses: { by: 'machine', name: machine },
    });
  });

  it.each(['127.0.0.1:8080', 'localhost:8080', '[::1]:8080'])('takes %s for a name to the asker alone', (authority) => {
    const asked = { authority, secure: false };
    expect(toldEndpoints(endpoints, listens, asked).addresses).toEqual({ by: 'machine', name: machine });
    expect(toldEndpoints(endpoints, listens, asked, true)).toMatchObject({
      addresses: { by: 'request' },
      relayUrl: `https://${authority.replace(/:8080$/, '')}:4443`,
    });
  });

  it.each([
    '0.0.0.0:8080',
    '[::]:1',
    'a b',
    'x"><script>',
    'user@host',
    '-x',
    'a..b',
    '',
    `${'a'.repeat(64)}.b`,
    'a/b',
    '[x]',
  ])('does not take %j for a name', (authority) => {
    expect(toldEndpoints(endpoints, listens, { authority, secure: false }).addresses.by).toBe('machine');
  });
});

it('a server that is bound to one address is told by it, whatever the request came by', () => {
  const asked = { authority: 'video.example.com', secure: false };
  const told = toldEndpoints({ rtmpUrl: 'rtmp://10.0.0.5:1935' }, { host: '10.0.0.5', port: 8080 }, asked);
  expect(told).toMatchObject({
    rtmpUrl: 'rtmp://10.0.0.5:1935',
    publicHttpUrl: 'http://10.0.0.5:8080',
    addresses: { by: 'bind', name: '10.0.0.5' },
  });
});

it('what was said stands before all', () => {
  const asked = { authority: 'other.example.com', secure: false };
  const said = { ...endpoints, publicHttpUrl: 'https://video.example.com', rtmpUrl: 'rtmp://in.example.com' };
  expect(toldEndpoints(said, listens, asked)).toMatchObject({
    publicHttpUrl: 'https://video.example.com',
    rtmpUrl: 'rtmp://in.example.com',
    addresses: { by: 'setting', name: 'video.example.com' },
  });
});

describe('over HTTP', () => {
  const ask = async (test: Awaited<ReturnType<typeof startTestControl>>, host: string, path: string, init = {}) => {
    const { method = 'GET', body, headers = {} } = init as { method?: string; body?: unknown; headers?: object };
    const request = new Request(`http://${host}${path}`, {
      method,
      headers: { authorization: `Bearer ${test.adminKey}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await test.control.fetch(request)).json();
  };

  it('inputs, tokens and status go by the name of each request, and no other gets to see it', async () => {
    await using test = await startTestControl({ host: '0.0.0.0' });
    test.control.setEndpoints(endpoints);
    const create = { method: 'POST', body: { name: 'a' }, headers: { 'idempotency-key': 'one' } };
    const first = await ask(test, 'a.example.com:8080', '/v1/live-inputs', create);
    expect(first.urls.rtmpServer).toBe('rtmp://a.example.com:1935/live');
    expect(first.addresses).toEqual({ by: 'request', name: 'a.example.com' });
    // The answer that is kept for the key holds no name.
    const again = await ask(test, 'b.example.com:8080', '/v1/live-inputs', create);
    expect(again).toEqual(JSON.parse(JSON.stringify(first).replaceAll('a.example.com', 'b.example.com')));
    const minted = await ask(test, 'a.example.com:8080', `/v1/live-inputs/${first.id}/playback-tokens`, {
      method: 'POST',
      body: {},
    });
    expect(minted.url).toMatch(/^https:\/\/a\.example\.com:4443\/playback\//);
    expect(minted.watchUrl).toMatch(/^http:\/\/a\.example\.com:8080\/watch\//);
    expect(minted.hlsUrl).toMatch(/^http:\/\/a\.example\.com:8080\/hls\//);
    const { urls } = await ask(test, 'a.example.com:8080', '/v1/status');
    expect(urls).toMatchObject({ relay: 'https://a.example.com:4443', srt: 'srt://a.example.com:9000' });
    const got = await ask(test, 'c.example.com', `/v1/live-inputs/${first.id}`);
    expect(got.urls).toEqual({
      rtmp: `rtmp://c.example.com:1935/live/${first.id}`,
      rtmpServer: 'rtmp://c.example.com:1935/live',
    });
    expect((await ask(test, 'd.example.com', '/endpoints.json')).relay.url).toBe('https://d.example.com:4443');
    const document = await ask(test, 'evil.example.com', '/v1/openapi.json');
    expect(JSON.stringify(document)).not.toContain('evil.example.com');
  });
});
