import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { StreamResetError } from '../../src/transport/stream-reset-error.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { quicPair, sharedCertificate, testConnect, testListener, until } from '../helpers/quic.ts';
import { pattern, readAll, writeAll } from './streams.ts';
import { describeTransport } from './suite.ts';

describeTransport('quic', () => quicPair({ host: 'localhost' }));
describeTransport('quic with Retry', () => quicPair({ retryAboveHandshakes: 0 }));

describe('quic', () => {
  it('echoes on streams and datagrams, and knows who is there', async () => {
    const { client, server, close } = await quicPair();
    expect([client.protocol, server.protocol]).toEqual(['test', 'test']);
    expect(server.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    const ours = client.openBidi();
    await writeAll(ours.send, pattern(300_000));
    ours.send.finish();
    const theirs = (await server.acceptBidi())!;
    const sent = await readAll(theirs.receive);
    await writeAll(theirs.send, sent);
    theirs.send.finish();
    expect(await readAll(ours.receive)).toEqual(pattern(300_000));
    expect(client.sendDatagram(utf8('ping'))).toBe(true);
    expect(fromUtf8((await server.receiveDatagram())!)).toBe('ping');
    expect(client.sendDatagram(new Uint8Array(70_000))).toBe(false);
    const stats = server.stats();
    expect(stats.bytesReceived).toBeGreaterThan(300_000);
    expect(stats.rttMs).toBeGreaterThan(0);
    expect(stats.cwnd).toBeGreaterThan(0);
    await close();
  });

  it('chooses the first ALPN of the server that the client offers', async () => {
    const { client, server, close } = await quicPair(
      { alpn: ['moqt-18', 'moqt-16'] },
      { alpn: ['moqt-16', 'moqt-18'] },
    );
    expect([client.protocol, server.protocol]).toEqual(['moqt-18', 'moqt-18']);
    await close();
  });

  it('says that there is no protocol in common', async () => {
    const listener = await testListener({ alpn: ['moqt-18'] });
    await expect(testConnect(listener.port, { alpn: ['moqt-16'] })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
      message: expect.stringContaining('speaks none of moqt-16'),
    });
    await until('the failed handshake is counted', () => listener.stats().failed === 1);
    await listener.close();
  });

  it('refuses a certificate that is not the pinned one, or of an unknown authority', async () => {
    const listener = await testListener();
    const wrong = { code: 'RELAY_UNREACHABLE', message: expect.stringContaining('not the pinned one') };
    const other = await testCertificate();
    await expect(testConnect(listener.port, { trust: { certificateHashes: [other.sha256] } })).rejects.toMatchObject(
      wrong,
    );
    await expect(testConnect(listener.port, { trust: { roots: true } })).rejects.toMatchObject({
      message: expect.stringContaining('TLS'),
    });
    await listener.close();
  });

  it('trusts an extra authority, for the names it vouches for', async () => {
    const { certificatePem } = await sharedCertificate();
    const trust = { caPem: certificatePem };
    const { client, close } = await quicPair({}, { trust });
    expect(client.protocol).toBe('test');
    await close();
    const listener = await testListener();
    await expect(testConnect(listener.port, { trust, serverName: 'example.org' })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
    });
    await listener.close();
  });

  it('carries codes beyond 32 bits', async () => {
    const code = 0x52e4a40fa8db + 5;
    const { client, server, close } = await quicPair();
    const ours = client.openBidi();
    ours.send.write(pattern(10));
    const theirs = (await server.acceptBidi())!;
    await theirs.receive.read();
    theirs.receive.stop(code);
    expect(await ours.send.stopped).toBe(code);
    theirs.send.reset(code + 1);
    const failure = await ours.receive.read().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StreamResetError);
    expect((failure as StreamResetError).resetCode).toBe(code + 1);
    client.close({ code: code + 2, reason: 'enough' });
    expect(await server.closed).toEqual({ by: 'peer', code: code + 2, reason: 'enough' });
    expect(await client.closed).toEqual({ by: 'local', code: code + 2, reason: 'enough' });
    await close();
  });

  it('changes the certificate under open connections', async () => {
    const { client, server, listener, close } = await quicPair();
    const next = await testCertificate();
    listener.setCertificate(next.certificatePem, next.privateKeyPem);
    const renewed = await testConnect(listener.port, { trust: { certificateHashes: [next.sha256] } });
    await expect(testConnect(listener.port)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' });
    client.openUni().write(pattern(100));
    expect(await (await server.acceptUni())!.read()).toEqual(pattern(100));
    expect(() => listener.setCertificate('nonsense', next.privateKeyPem)).toThrow(/certificate/);
    renewed.close({ code: 0, reason: '' });
    await close();
  });

  it('asks an address to prove itself from a number of handshakes on', async () => {
    const { listener, close } = await quicPair({ retryAboveHandshakes: 0 });
    expect(listener.stats()).toMatchObject({ connections: 1, retried: 1 });
    await close();
    const calm = await quicPair({ retryAboveHandshakes: 1 });
    expect(calm.listener.stats()).toMatchObject({ connections: 1, retried: 0 });
    await calm.close();
  });

  it('refuses connections over the cap', async () => {
    const { client, listener, close } = await quicPair({ maxConnections: 1 });
    await expect(testConnect(listener.port)).rejects.toMatchObject({
      message: expect.stringContaining('takes no more connections'),
    });
    expect(listener.stats()).toMatchObject({ connections: 1, refused: 1 });
    client.close({ code: 0, reason: '' });
    await until('the place is free', () => listener.stats().connections === 0);
    (await testConnect(listener.port)).close({ code: 0, reason: '' });
    await close();
  });

  it('names the port that is taken, and frees its own', async () => {
    const listener = await testListener();
    await expect(testListener({ port: listener.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(listener.port)),
    });
    await listener.close();
    const again = await testListener({ port: listener.port });
    await again.close();
  });

  it('says at once that nothing listens, and gives up on silence and on demand', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const { port } = silent.address();
    const started = Date.now();
    await expect(testConnect(port, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
      message: expect.stringContaining('no answer within 300 ms'),
    });
    await expect(testConnect(port, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await new Promise<void>((resolve) => silent.close(resolve));
    await expect(testConnect(port)).rejects.toMatchObject({
      message: expect.stringContaining('nothing listens there'),
    });
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it('closing the listener closes its connections', async () => {
    const { client, server, listener } = await quicPair({ host: '::' }, { host: '127.0.0.1' });
    await listener.close();
    expect((await client.closed).by).toBe('peer');
    expect((await server.closed).by).toBe('local');
    expect(await listener.accept()).toBeNull();
    expect(client.openUni().write(pattern(1))).toBe(false);
  });
});
