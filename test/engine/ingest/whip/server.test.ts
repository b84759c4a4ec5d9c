import { afterEach, describe, expect, it } from 'vitest';
import { StreamsError } from '../../../../src/core/errors.ts';
import type { LogFields, Logger } from '../../../../src/core/log.ts';
import { WhipServer, type WhipServerOptions } from '../../../../src/engine/ingest/whip/server.ts';
import { chromiumOffer, obsOffer, without } from '../../../codec/sdp/offers.ts';
import { grant, inputId, streamKey, until } from '../../harness.ts';

const log: { message: string; fields: LogFields | undefined }[] = [];
const write = (message: string, fields?: LogFields) => void log.push({ message, fields });
const logger: Logger = { debug: write, info: write, warn: write, error: write };
const servers: WhipServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  log.length = 0;
});

function start(options: Partial<WhipServerOptions> = {}) {
  let published = 0;
  const server = new WhipServer({
    network: { host: '127.0.0.1' },
    authorise: async ({ streamKey: key }) => {
      if (key === 'sk_live_other')
        throw new StreamsError('CONFLICT', 'the input takes rtmp', { hint: 'publish to rtmp://…' });
      if (key !== streamKey) throw new StreamsError('UNAUTHORIZED', 'wrong stream key');
      return grant;
    },
    publish: () => {
      published++;
      return { push() {}, end() {} };
    },
    logger,
    ...options,
  });
  servers.push(server);
  const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    server.handle(
      new Request(`http://engine${path}`, {
        method,
        headers: { authorization: `Bearer ${streamKey}`, ...headers },
        ...(body === undefined ? {} : { body }),
      }),
      '192.0.2.1',
    );
  const offer = (body = chromiumOffer, headers: Record<string, string> = {}) =>
    send('POST', `/whip/${inputId}`, { 'content-type': 'application/sdp', ...headers }, body);
  return { server, send, offer, published: () => published };
}

const sdpfrag = 'application/trickle-ice-sdpfrag';
const candidate =
  'a=ice-ufrag:Xk1r\r\na=mid:0\r\na=candidate:1 1 udp 2122260223 127.0.0.1 50009 typ host\r\na=candidate:2 1 udp 1 evil.local 1 typ host\r\n';

describe('WHIP', () => {
  it('answers an offer with a session: candidates, goodbye, and nothing left of it', async () => {
    const { server, send, offer, published } = start();
    const answer = await offer();
    expect(answer.status).toBe(201);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/sdp',
      location: expect.stringMatching(new RegExp(`^/whip/${inputId}/[\\w-]{22}$`)),
      etag: expect.stringMatching(/^"[\w-]+"$/),
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringMatching(/Location.*ETag/),
    });
    const sdp = await answer.text();
    expect(sdp.match(/^a=(recvonly|sendonly|sendrecv)/gm)).toEqual(['a=recvonly', 'a=recvonly']);
    expect(sdp).toMatch(/a=rtcp-fb:104 nack pli\r\n/);
    expect(sdp).toMatch(/x-google-start-bitrate/);
    expect(sdp).not.toMatch(/transport-cc|goog-remb/);
    const candidates = [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) /gm)].map(([, address]) => address);
    expect(new Set(candidates)).toEqual(new Set(['127.0.0.1']));

    const [path, etag] = [answer.headers.get('location')!, answer.headers.get('etag')!];
    const patch = (headers: Record<string, string>, body = candidate) => send('PATCH', path, headers, body);
    const right = { 'content-type': sdpfrag, 'if-match': etag };
    expect((await patch(right)).status).toBe(204);
    expect((await patch({ 'content-type': sdpfrag })).status).toBe(428);
    expect((await patch({ ...right, 'if-match': '"other"' })).status).toBe(412);
    expect((await patch({ ...right, 'if-match': '*' })).status).toBe(422);
    expect((await patch(right, candidate.replace('Xk1r', 'other'))).status).toBe(422);
    expect((await patch({ ...right, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await patch(right, '{}')).status).toBe(400);
    expect((await send('PATCH', path, { ...right, authorization: 'Bearer sk_live_wrong' }, candidate)).status).toBe(
      401,
    );
    expect((await send('DELETE', path, { authorization: 'Bearer sk_live_wrong' })).status).toBe(401);
    expect((await send('GET', path)).status).toBe(405);
    expect((await send('DELETE', `/whip/${inputId}/nonsense`)).status).toBe(404);
    expect(server.sessions).toBe(1);
    expect((await send('DELETE', path)).status).toBe(200);
    expect((await send('DELETE', path)).status).toBe(404);
    expect([server.sessions, published()]).toEqual([0, 0]);
    expect(JSON.stringify(log)).not.toContain('sk_live');
  });

  it('answers OBS', async () => {
    const answer = await start().offer(obsOffer);
    expect(answer.status).toBe(201);
    const sdp = await answer.text();
    expect(sdp.match(/^m=.*$/gm)!.map((line) => line.split(' ')[0])).toEqual(['m=audio', 'm=video']);
    expect(sdp.match(/^a=setup:(active|passive)/gm)).toHaveLength(2);
    expect(sdp.match(/^a=candidate:/gm)!.length).toBeGreaterThan(0);
    expect(sdp).toMatch(/^a=group:BUNDLE 0 1/m);
    expect(sdp.match(/stereo=1/g)!.length).toBeGreaterThan(0);
  });

  it('lets pages of other origins ask before they send', async () => {
    const { send } = start();
    const answer = await send('OPTIONS', `/whip/${inputId}`, { origin: 'https://elsewhere.test' });
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': expect.stringMatching(/POST.*PATCH.*DELETE/),
      'access-control-allow-headers': expect.stringMatching(/Authorization.*If-Match/),
      'accept-post': 'application/sdp',
    });
  });

  it.each([
    [401, 'without a key', { authorization: 'Basic x' }, chromiumOffer],
    [401, 'with a wrong key', { authorization: 'Bearer sk_live_wrong' }, chromiumOffer],
    [409, 'for an input of another kind', { authorization: 'Bearer sk_live_other' }, chromiumOffer],
    [415, 'of another type', { 'content-type': 'application/json' }, chromiumOffer],
    [413, 'of a megabyte', {}, `${chromiumOffer}${'a=x:y\r\n'.repeat(150_000)}`],
    [413, 'of very many lines', {}, `${chromiumOffer}${'a=x\r\n'.repeat(4500)}`],
    [400, 'that is none', {}, 'hello'],
    [400, 'that is nothing', {}, ''],
    [422, 'without a codec that is carried', {}, without(chromiumOffer, /^(H264|VP8|VP9)/)],
    [400, 'without ICE credentials', {}, chromiumOffer.replaceAll(/a=ice-(ufrag|pwd).*\r\n/g, '')],
  ])('answers %i with problem details to an offer %s', async (status, _, headers, body) => {
    const { server, offer } = start();
    const answer = await offer(body, headers as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toMatchObject({ status, title: expect.any(String), code: expect.any(String) });
    expect(server.sessions).toBe(0);
  });

  it('drops a session that comes to no connection, and one at a time has an input', async () => {
    const { server, offer } = start({ connectMs: 100 });
    expect((await offer()).status).toBe(201);
    const second = await offer();
    expect(second.status).toBe(409);
    expect(second.headers.get('retry-after')).toBe('2');
    await until(() => server.sessions === 0, 'the session is dropped');
    expect(log.at(-1)).toMatchObject({
      message: 'WHIP session closed',
      fields: { reason: 'no connection came about' },
    });
    expect((await offer()).status).toBe(201);
  });

  it.each([
    [{ host: '127.0.0.1' }, /on loopback.*--host 0\.0\.0\.0/],
    [{ host: '127.0.0.1', announced: ['203.0.113.5'] }, /--whip-address/],
    [{ host: '0.0.0.0' }, /--whip-ports/],
  ])('tells the operator what may keep media of %o away', async (network, words) => {
    const { server, offer } = start({ connectMs: 100, network });
    expect((await offer()).status).toBe(201);
    await until(() => server.sessions === 0, 'the session is dropped');
    const said = log.filter(({ message }) => message === 'WHIP media did not come');
    expect(said).toMatchObject([{ fields: { inputId, reason: expect.stringMatching(words) } }]);
  });

  it('has a bound of sessions', async () => {
    const { offer } = start({ maxSessions: 0 });
    expect((await offer()).status).toBe(503);
  });

  it('takes ports of a range, and tells the address that it is given', async () => {
    const { offer } = start({ network: { host: '127.0.0.1', announced: ['203.0.113.5'], ports: [42_100, 42_160] } });
    const sdp = await (await offer()).text();
    const found = [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) /gm)];
    expect(found.length).toBeGreaterThan(0);
    for (const [, address, port] of found) {
      expect(address).toBe('203.0.113.5');
      expect(Number(port)).toBeGreaterThanOrEqual(42_100);
      expect(Number(port)).toBeLessThanOrEqual(42_160);
    }
  });

  it('binds everything for announced addresses with one socket of each family', async () => {
    const { offer } = start({ network: { host: '::', announced: ['203.0.113.5', '2001:db8::5', '203.0.113.6'] } });
    const sdp = await (await offer()).text();
    const section = sdp.slice(sdp.indexOf('m=video'));
    const found = [...section.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) /gm)].map(([, ...told]) => told);
    expect(found.map(([address]) => address)).toEqual(['203.0.113.5', '2001:db8::5', '203.0.113.6']);
    expect(found[0]![1]).toBe(found[2]![1]);
    expect(found[0]![1]).not.toBe(found[1]![1]);
  });

  it('tells all addresses of the machine when it is bound to all', async () => {
    const { offer } = start({ network: { host: '0.0.0.0' } });
    expect(await (await offer()).text()).toMatch(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 /m);
  });

  it.each([['/whip/'], ['/whip/nonsense'], ['/whip/..%2f..'], [`/whip/$inputId/a/b`]])(
    'knows nothing of %s',
    async (path) => {
      expect((await start().send('POST', path)).status).toBe(404);
    },
  );
});
