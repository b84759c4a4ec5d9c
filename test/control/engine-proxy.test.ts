import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestControl, type TestControl } from './helpers.ts';

let control: TestControl;
let engineUrl: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const engine = createServer((request, response) => answer(request, response));

beforeAll(async () => {
  control = await startTestControl();
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  engineUrl = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
});
beforeEach(() => control.control.setEndpoints({ engineUrl }));
afterAll(async () => {
  await control?.[Symbol.asyncDispose]();
  engine.closeAllConnections();
  engine.close();
});

describe('the way to the media engine', () => {
  it('passes path, query and headers on, and the answer back as it is', async () => {
    let seen: IncomingMessage | undefined;
    answer = (request, response) => {
      seen = request;
      response.writeHead(418, { 'content-type': 'text/x', 'x-own': 'yes', 'content-encoding': 'identity' }).end('tea');
    };
    const response = await fetch(`${control.base}/hls/lv_1/index.m3u8?tok=a.b.c`, {
      headers: { accept: 'text/x', 'x-forwarded-for': '192.0.2.1' },
    });
    expect(response.status).toBe(418);
    expect(response.headers.get('x-own')).toBe('yes');
    expect(await response.text()).toBe('tea');
    expect(seen!.url).toBe('/hls/lv_1/index.m3u8?tok=a.b.c');
    // What a client says of its own address is not believed.
    expect(seen!.headers).toMatchObject({ accept: 'text/x', 'x-forwarded-for': '127.0.0.1' });
    expect(control.log.lines.join('\n')).not.toContain('a.b.c');
  });

  it('hands out what has come before the rest does', async () => {
    let finish = () => {};
    answer = (_, response) => {
      response.writeHead(200).write('first');
      finish = () => response.end(' second');
    };
    const response = await fetch(`${control.base}/hls/x`);
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first');
    finish();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(' second');
    expect((await reader.read()).done).toBe(true);
  });

  it('lets go of the engine when the client goes', async () => {
    const gone = new Promise<void>((resolve) => {
      answer = (_, response) => {
        response.on('close', resolve);
        response.writeHead(200).write('and then nothing');
      };
    });
    const abort = new AbortController();
    const response = await fetch(`${control.base}/hls/x`, { signal: abort.signal });
    expect(response.status).toBe(200);
    abort.abort();
    await gone;
  });

  it('says in words, to web pages too, that there is no engine', async () => {
    for (const gone of [{}, { engineUrl: 'http://127.0.0.1:1' }]) {
      control.control.setEndpoints(gone);
      const response = await fetch(`${control.base}/hls/lv_1/index.m3u8`);
      expect(response.status).toBe(503);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toMatchObject({ error: { code: 'API_UNREACHABLE' } });
    }
  });

  it('leaves everything else to the control plane', async () => {
    answer = (_, response) => response.end('engine');
    for (const path of ['/healthz', '/hls', '/hlsx/y'])
      expect(await (await fetch(control.base + path)).text(), path).not.toBe('engine');
  });
});
