import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachQmux } from '../../src/transport/qmux/attach.ts';
import type { connectQmuxBrowser } from '../../src/transport/qmux/browser.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { pattern, readAll, writeAll } from '../transport/streams.ts';
import { bundle, sourceFile } from './bundle.ts';

declare global {
  var connectQmuxBrowserTest: typeof connectQmuxBrowser;
  var qmuxSession: Transport;
}

let browser: Browser;
let page: Page;
let script: string;
const accepted: Transport[] = [];
const site = createServer((request, response) => {
  const isScript = request.url === '/browser.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? script : '<script type=module src=/browser.js></script>');
});
attachQmux(site, { protocols: ['moqt-18'], onTransport: (transport) => accepted.push(transport) });

beforeAll(async () => {
  const file = sourceFile('src/transport/qmux/browser.ts');
  script = await bundle(
    `import { connectQmuxBrowser } from '${file}'; globalThis.connectQmuxBrowserTest = connectQmuxBrowser;`,
  );
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  browser = await launchChromium();
  page = await browser.newPage();
  const { port } = site.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => globalThis.connectQmuxBrowserTest !== undefined);
  await page.evaluate(async (url) => {
    globalThis.qmuxSession = await connectQmuxBrowserTest({ url, versions: ['moqt-16', 'moqt-18'] });
  }, `ws://127.0.0.1:${port}/publish/lv_1?sk=x`);
});

afterAll(async () => {
  await browser?.close();
  for (const transport of accepted) transport.close({ code: 0, reason: '' });
  await new Promise((resolve) => site.close(resolve));
});

describe('QMux in Chromium', () => {
  it('negotiates, and carries 8 MiB both ways', async () => {
    const server = accepted[0]!;
    expect([server.protocol, server.path]).toEqual(['moqt-18', '/publish/lv_1?sk=x']);
    const whole = pattern(8 << 20);
    const ours = server.openBidi();
    const echoed = page.evaluate(async () => {
      const { send, receive } = (await qmuxSession.acceptBidi())!;
      let total = 0;
      for (let part = await receive.read(); part !== null; part = await receive.read()) {
        total += part.length;
        while (!send.write(part)) await send.writable();
      }
      send.finish();
      return { total, protocol: qmuxSession.protocol };
    });
    const sending = writeAll(ours.send, whole, 64 * 1024).then(() => ours.send.finish());
    expect(Buffer.compare(await readAll(ours.receive), whole)).toBe(0);
    await sending;
    expect(await echoed).toEqual({ total: whole.length, protocol: 'moqt-18' });
  });

  it('resets, stops, sends datagrams and closes with code and reason', async () => {
    const server = accepted[0]!;
    const reset = server.openUni();
    reset.write(pattern(10));
    const inPage = page.evaluate(async () => {
      const first = (await qmuxSession.acceptUni())!;
      await first.read();
      qmuxSession.sendDatagram(Uint8Array.of(1));
      const code = await first.read().catch((error: { resetCode: number }) => error.resetCode);
      const second = (await qmuxSession.acceptUni())!;
      second.stop(9);
      const datagram = await qmuxSession.receiveDatagram();
      return { code, datagram: datagram?.length };
    });
    expect(await server.receiveDatagram()).toEqual(Uint8Array.of(1));
    reset.reset(7);
    const stopped = server.openUni();
    stopped.write(pattern(10));
    expect(await stopped.stopped).toBe(9);
    expect(server.sendDatagram(pattern(1100))).toBe(true);
    expect(await inPage).toEqual({ code: 7, datagram: 1100 });
    server.close({ code: 0x1234, reason: 'finished' });
    expect(await page.evaluate(() => qmuxSession.closed)).toEqual({ by: 'peer', code: 0x1234, reason: 'finished' });
  });
});
