import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import type { connectBrowser } from '../../src/transport/browser.ts';
import type { QuicListener } from '../../src/transport/quic/listen.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import { StreamResetError } from '../../src/transport/stream-reset-error.ts';
import type { ReceiveStream, SendStream, Transport } from '../../src/transport/transport.ts';
import type { AcceptWebTransportOptions } from '../../src/transport/webtransport/accept.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { pattern, readAll, writeAll } from '../transport/streams.ts';
import { bundle, sourceFile } from './bundle.ts';

/** What the page has: src/transport/browser.ts over Chromium's own WebTransport, and what a test left there. */
type InPage = {
  connect: typeof connectBrowser;
  session: Transport;
  incoming: ReceiveStream;
  outgoing: SendStream;
};

declare global {
  var webTransportTest: InPage;
}

const certificate = await testCertificate();
let browser: Browser;
let listener: QuicListener;
let script: string;
const site = createServer((request, response) => {
  const isScript = request.url === '/browser.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? script : '<script type=module src=/browser.js></script>');
});

beforeAll(async () => {
  script = await bundle(`import { connectBrowser } from '${sourceFile('src/transport/browser.ts')}';
    globalThis.webTransportTest = { connect: connectBrowser };`);
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  listener = await listenQuic({ host: '127.0.0.1', port: 0, alpn: ['h3'], ...certificate });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await listener?.close();
  await new Promise((resolve) => site.close(resolve));
});

async function openPage(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => globalThis.webTransportTest !== undefined);
  return page;
}

/** Connects in the page; answers `protocol` or the error's code and message. */
function connectIn(page: Page, options: { path?: string; protocols?: string[]; hash?: Uint8Array } = {}) {
  return page.evaluate(
    async ({ url, protocols, hash }) => {
      try {
        const certificateHashes = [Uint8Array.from(hash)];
        webTransportTest.session = await webTransportTest.connect({ url, protocols, certificateHashes });
        return { protocol: webTransportTest.session.protocol, path: webTransportTest.session.path };
      } catch (error) {
        return { code: (error as { code?: string }).code, message: (error as Error).message };
      }
    },
    {
      url: `https://127.0.0.1:${listener.port}${options.path ?? '/'}`,
      protocols: options.protocols ?? ['moqt-18'],
      hash: Array.from(options.hash ?? certificate.sha256),
    },
  );
}

async function acceptNext(options: Partial<AcceptWebTransportOptions> = {}): Promise<Transport> {
  const base = await listener.accept();
  if (base === null) throw new Error('the listener closed');
  return acceptWebTransport(base, { protocols: ['moqt-18'], ...options });
}

/** A page with a session to us; both are closed after. */
async function withSession(body: (page: Page, server: Transport) => Promise<void>): Promise<void> {
  const page = await openPage();
  try {
    const [server] = await Promise.all([acceptNext(), connectIn(page)]);
    await body(page, server);
  } finally {
    await page.close();
  }
}

describe("Chromium's own WebTransport against our server", () => {
  it('negotiates the subprotocol and tells the path', async () => {
    const page = await openPage();
    const path = '/playback/lv_1?tok=a.b';
    const [server, client] = await Promise.all([
      acceptNext({ protocols: ['moqt-18', 'moqt-16'] }),
      connectIn(page, { path, protocols: ['moqt-99', 'moqt-16', 'moqt-18'] }),
    ]);
    expect(client).toEqual({ protocol: 'moqt-16', path });
    expect([server.protocol, server.path]).toEqual(['moqt-16', path]);
    await page.close();
  });

  it('is refused when no subprotocol is common, and when the certificate is another', async () => {
    const page = await openPage();
    const [refused, client] = await Promise.all([
      acceptNext({ requireProtocol: 'always' }).catch((error: unknown) => error),
      connectIn(page, { protocols: ['moqt-99'] }),
    ]);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(client).toMatchObject({ code: 'RELAY_UNREACHABLE' });
    expect(await connectIn(page, { path: '/x?tok=secret', hash: new Uint8Array(32) })).toEqual({
      code: 'RELAY_UNREACHABLE',
      message: `cannot reach the relay at https://127.0.0.1:${listener.port}/x`,
    });
    await page.close();
  });

  it('carries 1 MB on unidirectional streams, there and back', async () => {
    await withSession(async (page, server) => {
      const echoed = page.evaluate(async () => {
        const out = webTransportTest.session.openUni();
        for (let piece = 0; piece < 64; piece++) {
          const bytes = new Uint8Array(16 * 1024).map((_, i) => (piece * 7 + i) & 0xff);
          while (!out.write(bytes)) await out.writable();
        }
        out.finish();
        const back = await webTransportTest.session.acceptUni();
        let length = 0;
        let wrong = 0;
        for (let bytes = await back!.read(); bytes !== null; bytes = await back!.read()) {
          for (const byte of bytes) {
            const piece = Math.floor(length / 16384);
            if (byte !== ((piece * 7 + (length % 16384)) & 0xff)) wrong++;
            length++;
          }
        }
        return { length, wrong };
      });
      const whole = await readAll((await server.acceptUni())!);
      const back = server.openUni();
      await writeAll(back, whole);
      back.finish();
      expect(await echoed).toEqual({ length: 1024 * 1024, wrong: 0 });
    });
  });

  it('carries bidirectional streams opened by either side', async () => {
    await withSession(async (page, server) => {
      const fromPage = page.evaluate(async () => {
        const { send, receive } = webTransportTest.session.openBidi();
        send.write(new TextEncoder().encode('ping'));
        send.finish();
        return new TextDecoder().decode((await receive.read()) ?? undefined);
      });
      const theirs = (await server.acceptBidi())!;
      expect(fromUtf8(await readAll(theirs.receive))).toBe('ping');
      theirs.send.write(utf8('pong'));
      theirs.send.finish();
      expect(await fromPage).toBe('pong');

      const inPage = page.evaluate(async () => {
        const { send, receive } = (await webTransportTest.session.acceptBidi())!;
        const bytes = await receive.read();
        send.write(bytes!);
        send.finish();
      });
      const ours = server.openBidi();
      ours.send.write(pattern(100));
      ours.send.finish();
      expect(await readAll(ours.receive)).toEqual(pattern(100));
      await inPage;
    });
  });

  it('carries datagrams both ways', async () => {
    await withSession(async (page, server) => {
      const inPage = page.evaluate(async () => {
        webTransportTest.session.sendDatagram(Uint8Array.of(1, 2, 3));
        return Array.from((await webTransportTest.session.receiveDatagram())!);
      });
      expect(await server.receiveDatagram()).toEqual(Uint8Array.of(1, 2, 3));
      expect(server.sendDatagram(Uint8Array.of(4, 5))).toBe(true);
      expect(await inPage).toEqual([4, 5]);
    });
  });

  it('carries reset and stop codes both ways', async () => {
    await withSession(async (page, server) => {
      for (const code of [0, 0x1e, 0xffffffff]) {
        const reset = server.openUni();
        reset.write(pattern(10));
        await page.evaluate(async () => {
          webTransportTest.incoming = (await webTransportTest.session.acceptUni())!;
          await webTransportTest.incoming.read();
        });
        reset.reset(code);
        const seen = page.evaluate(() =>
          webTransportTest.incoming.read().catch((error: { resetCode?: number }) => error.resetCode),
        );
        expect(await seen).toBe(code);

        // Chromium's own errors carry one byte.
        const sendable = Math.min(code, 255);
        const stopped = server.openUni();
        stopped.write(pattern(10));
        await page.evaluate(async (code) => (await webTransportTest.session.acceptUni())!.stop(code), code);
        expect(await stopped.stopped).toBe(sendable);
        expect(stopped.write(pattern(10))).toBe(false);

        const open = () => {
          webTransportTest.outgoing = webTransportTest.session.openUni();
          webTransportTest.outgoing.write(Uint8Array.of(1));
        };
        await page.evaluate(open);
        const toReset = (await server.acceptUni())!;
        await toReset.read();
        await page.evaluate((code) => webTransportTest.outgoing.reset(code), code);
        const error = await toReset.read().catch((error: unknown) => error);
        expect(error).toBeInstanceOf(StreamResetError);
        expect((error as StreamResetError).resetCode).toBe(sendable);

        await page.evaluate(open);
        (await server.acceptUni())!.stop(code);
        // Chromium may lose the code on the way to the page: 0 then.
        expect([code, 0]).toContain(await page.evaluate(() => webTransportTest.outgoing.stopped));
        expect(await page.evaluate(() => webTransportTest.outgoing.write(Uint8Array.of(1)))).toBe(false);
      }
    });
  });

  it('is told code and reason when we close', async () => {
    await withSession(async (page, server) => {
      const closed = page.evaluate(async () => {
        const accepting = webTransportTest.session.acceptUni();
        return { close: await webTransportTest.session.closed, accepted: await accepting };
      });
      server.close({ code: 0x12345678, reason: 'auth_failed: ü' });
      expect(await closed).toEqual({
        close: { by: 'peer', code: 0x12345678, reason: 'auth_failed: ü' },
        accepted: null,
      });
      expect(await server.closed).toEqual({ by: 'local', code: 0x12345678, reason: 'auth_failed: ü' });
    });
  });

  it('survives a close in the same moment as the end of the streams it reads', async () => {
    for (const order of ['ends first', 'ends last']) {
      await withSession(async (page, server) => {
        let crashed = false;
        page.on('crash', () => {
          crashed = true;
        });
        const streams = Array.from({ length: 4 }, () => server.openUni());
        for (const stream of streams) stream.write(pattern(20_000));
        await page.evaluate(async () => {
          const drain = async (stream: ReceiveStream) => {
            while ((await stream.read()) !== null);
          };
          for (let i = 0; i < 4; i++) {
            const stream = (await webTransportTest.session.acceptUni())!;
            await stream.read();
            void drain(stream).catch(() => {});
          }
        });
        const end = () => {
          for (const [i, stream] of streams.entries()) i === 0 ? stream.finish() : stream.reset(0);
        };
        if (order === 'ends first') end();
        server.close({ code: 3, reason: 'enough' });
        if (order === 'ends last') end();
        const close = page.evaluate(() => webTransportTest.session.closed);
        expect(await close, order).toEqual({ by: 'peer', code: 3, reason: 'enough' });
        // Chromium closes the connection; what would crash the page has happened by then.
        await server.closed;
        expect(await page.evaluate(() => 1 + 1)).toBe(2);
        expect(crashed).toBe(false);
      });
    }
  });

  it('tells code and reason when it closes', async () => {
    await withSession(async (page, server) => {
      const accepting = server.acceptUni();
      await page.evaluate(() => webTransportTest.session.close({ code: 77, reason: 'closed_by_caller' }));
      expect(await server.closed).toEqual({ by: 'peer', code: 77, reason: 'closed_by_caller' });
      expect(await accepting).toBeNull();
    });
  });

  it('pushes back on a writer whose peer does not read', async () => {
    await withSession(async (page, server) => {
      const pushedBack = page.evaluate(async () => {
        webTransportTest.outgoing = webTransportTest.session.openUni();
        let pieces = 0;
        while (webTransportTest.outgoing.write(new Uint8Array(64 * 1024))) pieces++;
        return pieces;
      });
      const pieces = await pushedBack;
      expect(pieces).toBeGreaterThan(0);
      const finished = page.evaluate(async () => {
        await webTransportTest.outgoing.writable();
        webTransportTest.outgoing.finish();
      });
      const got = await readAll((await server.acceptUni())!);
      await finished;
      expect(got.length).toBe(pieces * 64 * 1024);
    });
  });
});
