import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { type Finished, finished, type Line, repoRoot } from '../helpers/streams-cli.ts';
import { until } from '../serve/until.ts';
import { type Host, Hosts, whyNoHosts } from './hosts.ts';

const missing = await whyNoHosts();
if (missing !== undefined) process.stderr.write(`skipped: a client on another host (${missing})\n`);

const binary = join(repoRoot, 'bin', 'streams.js');
const clip = join(repoRoot, 'fixtures', 'media', 'demo.flv');
const hosts = new Hosts();
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await hosts.end();
});

/** Runs a command on a host until its end. */
function on(host: Host, command: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  const [program, ...args] = [...host.within, ...command] as [string, ...string[]];
  return finished(spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }), 60_000);
}

async function serveOn(host: Host, folder: string): Promise<Line & { urls: Record<string, string>; apiKey: string }> {
  const [program, ...args] = [
    ...host.within,
    ...[process.execPath, binary, 'serve', '--json', '--host', '0.0.0.0', '--data-dir', join(folder, 'data')],
  ] as [string, ...string[]];
  const child = spawn(program, args, {
    env: { ...process.env, STREAMS_CONFIG_DIR: join(folder, 'server'), STREAMS_PUBLIC_URL: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(child, 120_000);
  ended.catch(() => undefined);
  ends.push(() => {
    child.kill('SIGTERM');
    return ended;
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => lines.push(JSON.parse(text)));
  const ready = () => lines.find(({ type }) => type === 'ready');
  await until(() => ready() !== undefined || child.exitCode !== null, 30_000);
  return ready() as Line & { urls: Record<string, string>; apiKey: string };
}

describe('a client on another host than a server that is bound to all addresses', () => {
  it('publishes and watches by the addresses that commands print, on either host', { timeout: 120_000 }, async ({
    skip,
  }) => {
    skip(missing !== undefined, missing);
    const folder = await mkdtemp(join(tmpdir(), 'streams-remote-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const [server, client] = (await hosts.make(2)) as [Host, Host];
    const ready = await serveOn(server, folder);
    expect(ready.addresses).toMatchObject({ by: 'machine' });
    const streams = async (host: Host, env: NodeJS.ProcessEnv, ...args: string[]) => {
      const { code, stdout, stderr } = await on(host, [process.execPath, binary, ...args, '--json'], env);
      expect([code, stderr], args.slice(0, 2).join(' ')).toEqual([0, '']);
      return JSON.parse(stdout.trim().split('\n').at(-1)!);
    };
    const here = { STREAMS_CONFIG_DIR: join(folder, 'server') };
    const there = {
      STREAMS_CONFIG_DIR: join(folder, 'client'),
      STREAMS_API_URL: `http://${server.address}:8080`,
      STREAMS_API_KEY: ready.apiKey,
    };

    const made = await streams(client, there, 'inputs', 'create', '--name', 'remote');
    expect(made.addresses).toEqual({ by: 'request', name: server.address });
    expect(made.urls.rtmp).toBe(`rtmp://${server.address}:1935/live/${made.input.id}?sk=${made.streamKey}`);
    // Whoever sits at the server gets addresses that lead there from elsewhere as well.
    const local = await streams(server, here, 'inputs', 'get', made.input.id);
    expect(local.addresses.by).toBe('machine');
    expect(new URL(local.urls.rtmp.replace('rtmp:', 'http:')).hostname).not.toMatch(/^127\.|^0\.0\.0\.0/);

    const [program, ...args] = [
      ...client.within,
      ...['ffmpeg', '-v', 'error', '-re', '-stream_loop', '-1', '-i', clip, '-c', 'copy', '-f', 'flv', made.urls.rtmp],
    ] as [string, ...string[]];
    const encoder = spawn(program, args, { stdio: 'ignore' });
    const encoded = finished(encoder, 120_000);
    ends.push(() => {
      encoder.kill('SIGKILL');
      return encoded;
    });

    const minted = await streams(client, there, 'playback', 'mint', made.input.id);
    expect(new URL(minted.url).host).toBe(`${server.address}:4443`);
    expect(minted.certificateSha256).toMatch(/^[0-9a-f]{64}$/);
    const watched = await streams(client, there, 'watch', minted.url, '--duration', '2s');
    expect(watched).toMatchObject({ type: 'summary' });
    // Without a control plane to ask: with the hash that mint has printed.
    const nobody = { STREAMS_CONFIG_DIR: join(folder, 'nobody') };
    const pinned = ['watch', minted.url, '--duration', '1s', '--cert-hash', minted.certificateSha256];
    expect(await streams(client, nobody, ...pinned)).toMatchObject({ type: 'summary' });
    const ask = async (url: string) =>
      (await on(client, ['curl', '-s', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}', url], {})).stdout;
    expect(await ask(minted.hlsUrl)).toBe('200');
    expect(await ask(minted.watchUrl)).toBe('200');

    const fromServer = await streams(server, here, 'playback', 'mint', made.input.id);
    expect(await streams(server, here, 'watch', fromServer.url, '--duration', '1s')).toMatchObject({ type: 'summary' });
  });
});
