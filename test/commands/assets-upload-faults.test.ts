import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, open, rm, symlink, truncate } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startVodStack, type VodStack } from '../engine/vod/stack.ts';
import { finished, repoRoot } from '../helpers/streams-cli.ts';
import { commandLine } from './command-line.ts';

let stack: VodStack;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  stack = await startVodStack();
  folder = await mkdtemp(join(tmpdir(), 'streams-faults-'));
  env = { STREAMS_API_KEY: stack.control.adminKey, STREAMS_CONFIG_DIR: join(folder, 'config') };
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const assets = async (): Promise<Json[]> => (await stack.control.call('GET', '/v1/assets')).body.items;

async function sparse(name: string, bytes: number): Promise<string> {
  const path = join(folder, name);
  const handle = await open(path, 'w');
  await handle.truncate(bytes);
  await handle.close();
  return path;
}

type Faults = {
  /** Cuts the first PATCH after so many bytes. */
  cutAfter?: number;
  /** Answers these to the first HEADs. */
  heads?: number[];
  /** Answers every request. */
  instead?: (request: http.IncomingMessage, response: http.ServerResponse) => boolean;
  /** Of the bytes of a PATCH, while they pass. */
  passed?: (bytes: number) => void;
};

/** A proxy before the server that fails as it is told; `log`: what went through, method and offset. */
async function proxy(faults: Faults) {
  const log: string[] = [];
  let patches = 0;
  const server = http.createServer((request, response) => {
    log.push(`${request.method} ${request.headers['upload-offset'] ?? ''}`.trim());
    if (faults.instead?.(request, response)) return;
    const status = request.method === 'HEAD' ? faults.heads?.shift() : undefined;
    if (status !== undefined) {
      response.writeHead(status, { 'retry-after': '1' }).end();
      return;
    }
    const cut = request.method === 'PATCH' && ++patches === 1 && faults.cutAfter;
    let bytes = 0;
    const { method, url: path, headers } = request;
    const on = http.request(new URL(path!, stack.base), { method: method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    on.on('error', () => response.destroy());
    request.on('error', () => on.destroy());
    request.on('close', () => request.complete || on.destroy());
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (cut && bytes > cut) {
        request.destroy();
        on.destroy();
        return;
      }
      if (!on.write(chunk)) {
        request.pause();
        on.once('drain', () => request.resume());
      }
      if (method === 'PATCH') faults.passed?.(bytes);
    });
    request.on('end', () => on.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a HEAD that fails in passing', () => {
  it.each([503, 502, 429, 500])('%i: the upload goes on at its offset', async (status) => {
    await using middle = await proxy({ cutAfter: 2 << 20, heads: [status] });
    const before = (await assets()).length;
    const file = await sparse(`head-${status}.bin`, 6 << 20);
    const { code, lines, stderr } = await commandLine(['assets', 'upload', file, '--json'], {
      env: { ...env, STREAMS_API_URL: middle.url },
    });
    expect([code, stderr]).toEqual([0, '']);
    expect((lines() as [Json])[0].asset).toMatchObject({ bytes: 6 << 20 });
    expect(middle.log.filter((line) => line.startsWith('POST'))).toEqual(['POST']);
    expect(middle.log.filter((line) => line.startsWith('PATCH')).length).toBe(2);
    expect((await assets()).length).toBe(before + 1);
  });

  it('also where the asset was made before', async () => {
    await using middle = await proxy({ cutAfter: 2 << 20, heads: [503] });
    const made = (await stack.control.call('POST', '/v1/assets', { body: { name: 'made' } })).body.id;
    const file = await sparse('filled.bin', 6 << 20);
    const { code } = await commandLine(['assets', 'upload', file, '--asset', made], {
      env: { ...env, STREAMS_API_URL: middle.url },
    });
    expect(code).toBe(0);
  });

  it.each([404, 410])('%i: it begins anew, once', async (status) => {
    await using middle = await proxy({ cutAfter: 2 << 20, heads: [status] });
    const file = await sparse(`gone-${status}.bin`, 6 << 20);
    const { code } = await commandLine(['assets', 'upload', file], { env: { ...env, STREAMS_API_URL: middle.url } });
    expect(code).toBe(0);
    expect(middle.log.filter((line) => line.startsWith('POST')).length).toBe(2);
  });

  it('403: it fails in words, and leaves the upload alone', async () => {
    await using middle = await proxy({ cutAfter: 2 << 20, heads: [403] });
    const file = await sparse('forbidden.bin', 6 << 20);
    const { code } = await commandLine(['assets', 'upload', file], { env: { ...env, STREAMS_API_URL: middle.url } });
    expect(code).not.toBe(0);
    expect(middle.log.filter((line) => line.startsWith('POST')).length).toBe(1);
  });
});

it('two commands on one file make one asset', async () => {
  const file = await sparse('twice.bin', 64 << 20);
  const before = (await assets()).length;
  const upload = () => commandLine(['assets', 'upload', file], { env: { ...env, STREAMS_API_URL: stack.base } });
  const both = await Promise.all([upload(), upload()]);
  expect(both.map(({ code }) => code).sort()).toEqual([0, 5]);
  expect(both.find(({ code }) => code === 5)!.stderr).toContain('another command is uploading twice.bin');
  expect((await assets()).length).toBe(before + 1);
}, 20_000);

describe('a file that changes', () => {
  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    ['shrinks', (file) => truncate(file, 1 << 20), /went from \d+ to 1048576 bytes \(it shrank\) during its upload/],
    ['grows', (file) => appendFile(file, 'more'), /\(it grew\) during its upload/],
    [
      'is written to',
      async (file) => {
        const handle = await open(file, 'r+');
        await handle.write('other', 0);
        await handle.close();
      },
      /was written to during its upload/,
    ],
  ])(
    '%s: an error at once that names it',
    async (name, change, said) => {
      const file = await sparse(`changes ${name}.bin`, 64 << 20);
      let changed: Promise<void> | undefined;
      await using middle = await proxy({
        passed() {
          changed ??= change(file);
        },
      });
      const { code, stderr } = await commandLine(['assets', 'upload', file], {
        env: { ...env, STREAMS_API_URL: middle.url },
      });
      await changed;
      expect([code, stderr]).toEqual([5, expect.stringMatching(said)]);
    },
    20_000,
  );
});

describe('a pipe with a name', () => {
  const upload = (script: string) =>
    finished(
      spawn(
        'bash',
        ['-c', script.replaceAll('STREAMS', `${process.execPath} ${join(repoRoot, 'bin', 'streams.js')}`)],
        {
          cwd: folder,
          env: { ...process.env, ...env, STREAMS_API_URL: stack.base },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ),
    );
  it.each<[string, string, object]>([
    [
      '<(…)',
      'STREAMS assets upload <(head -c 300000 /dev/zero) --name subst --json',
      { name: 'subst', bytes: 300_000 },
    ],
    [
      '<(…) whose writer is gone',
      'exec 9< <(echo hello); wait $!; STREAMS assets upload /dev/fd/9 --name gone --json',
      { name: 'gone', bytes: 6 },
    ],
    [
      '/dev/stdin',
      'head -c 300000 /dev/zero | STREAMS assets upload /dev/stdin --json',
      { name: 'stdin', bytes: 300_000 },
    ],
    [
      '/dev/stdin that is a file',
      'head -c 70000 /dev/zero > in.bin; STREAMS assets upload /dev/stdin --json < in.bin',
      { bytes: 70_000 },
    ],
    [
      'a FIFO',
      'mkfifo film.fifo; head -c 9000000 /dev/zero > film.fifo & STREAMS assets upload film.fifo --json',
      { name: 'film.fifo', bytes: 9_000_000 },
    ],
  ])('%s', async (_name, script, right) => {
    const { code, stdout, stderr } = await upload(script);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).asset).toMatchObject(right);
  });
  it('a FIFO that nobody writes to ends with Ctrl-C', async () => {
    const { code } = await upload('mkfifo silent.fifo; timeout -s INT 3 STREAMS assets upload silent.fifo');
    expect(code).toBe(124);
  }, 15_000);
});

it('a link is called what the link is called', async () => {
  const link = join(folder, 'nice-name.mp4');
  await symlink(await sparse('blob-0815', 1000), link);
  const { lines } = await commandLine(['assets', 'upload', link, '--json'], {
    env: { ...env, STREAMS_API_URL: stack.base },
  });
  expect((lines() as [Json])[0].asset).toMatchObject({ name: 'nice-name.mp4' });
});

describe('a server that redirects', () => {
  const redirect = (to: string) => ({
    instead(_request: http.IncomingMessage, response: http.ServerResponse) {
      response.writeHead(307, { location: to }).end();
      return true;
    },
  });
  it('is named, and gets nothing', async () => {
    await using middle = await proxy(redirect('https://elsewhere.example/uploads?key=secret'));
    const file = await sparse('redirected.bin', 1000);
    const { code, stderr } = await commandLine(['assets', 'upload', file], {
      env: { ...env, STREAMS_API_URL: middle.url },
    });
    expect(code).toBe(4);
    expect(stderr).toContain('redirects to https://elsewhere.example/uploads');
    expect(stderr).toContain('Try: --api-url https://elsewhere.example\n');
    expect(stderr).not.toContain('secret');
  });
  it('the upload does not follow a Location on another server', async () => {
    await using stray = await proxy({});
    await using middle = await proxy({
      instead(_request, response) {
        response.writeHead(201, { location: `${stray.url}/uploads/as_x`, 'tus-resumable': '1.0.0' }).end();
        return true;
      },
    });
    const file = await sparse('stray.bin', 1000);
    const { code, stderr } = await commandLine(['assets', 'upload', file], {
      env: { ...env, STREAMS_API_URL: middle.url },
    });
    expect([code, stray.log]).toEqual([4, []]);
    expect(stderr).toContain(`sends the upload elsewhere, to ${stray.url}`);
  });
});

it('refuses what is no file', async () => {
  const { code, stderr } = await commandLine(['assets', 'upload', folder], {
    env: { ...env, STREAMS_API_URL: stack.base },
  });
  expect([code, stderr]).toEqual([2, expect.stringContaining('is not a file')]);
});
