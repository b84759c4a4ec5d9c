import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BroadcastViewer, type ViewerGap, type ViewerObject } from '../../src/sdk/index.ts';
import { connect } from '../../src/transport/connect.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { finished, type Line, repoRoot, runStreams } from '../helpers/streams-cli.ts';
import { type Stack, startStack } from '../serve/stack.ts';
import { until } from '../serve/until.ts';
import { freePorts } from './cluster-nodes.ts';

const serviceToken = 'a'.repeat(64);
const binary = join(repoRoot, 'bin', 'streams.js');
const encode = [
  ...['ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=15 -f lavfi -i sine=frequency=440:sample_rate=48000'],
  ...['-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 15 -c:a aac'],
  ...['-f mp4 -movflags frag_every_frame+empty_moov+default_base_moof'],
].join(' ');

type Relay = { child: ChildProcess; lines: Line[]; port: number };

/** docs/scale-out.md on one machine: a control plane, two relays of a cluster that ask it, two engines at the first relay. */
describe('processes that run alone', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let certificate: Awaited<ReturnType<typeof testCertificate>>;
  let control: Stack;
  let relays: [Relay, Relay];
  const engines: Stack[] = [];
  const children: ChildProcess[] = [];

  async function startRelay(name: string, port: number, cluster: string): Promise<Relay> {
    const file = join(folder, `${name}.toml`);
    const authUrl = control.ready.urls.http.replace('://', `://relay:${serviceToken}@`);
    await writeFile(
      file,
      [
        'drain_timeout = "300ms"',
        `[listen]\nbind = "127.0.0.1:${port}"\ntls.cert = "${folder}/cert.pem"\ntls.key = "${folder}/key.pem"`,
        `[internal]\nlisten = "127.0.0.1:0"`,
        `[auth]\nurl = "${new URL('/internal/relay-auth', authUrl)}"`,
        `[cluster]\n${cluster}\nnode = "https://127.0.0.1:${port}"\ntoken = "${folder}/service-token.txt"`,
      ].join('\n'),
    );
    const child = spawn(process.execPath, [binary, 'relay', file, '--json', '--data-dir', join(folder, name)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines: Line[] = [];
    createInterface({ input: child.stdout }).on('line', (text) => lines.push(JSON.parse(text)));
    await until(() => lines.some(({ type }) => type === 'ready'), 20_000);
    return { child, lines, port };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streams-scale-out-'));
    certificate = await testCertificate();
    await writeFile(join(folder, 'cert.pem'), certificate.certificatePem);
    await writeFile(join(folder, 'key.pem'), certificate.privateKeyPem, { mode: 0o600 });
    await writeFile(join(folder, 'service-token.txt'), serviceToken, { mode: 0o600 });
    const extra = { STREAMS_SERVICE_TOKEN: serviceToken, NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') };
    env = { ...process.env, ...extra, STREAMS_CONFIG_DIR: join(folder, 'config'), NO_COLOR: '1' };
    const [a, b] = (await freePorts(2)) as [number, number];
    const relayUrl = `https://127.0.0.1:${a}`;
    control = await startStack(folder, ['--only', 'control', '--relay-url', relayUrl], extra);
    relays = [await startRelay('a', a, ''), await startRelay('b', b, `root = "${relayUrl}"`)];
    for (const name of ['one', 'two']) {
      const where = ['--control-url', control.ready.urls.http, '--relay-url', relayUrl];
      engines.push(await startStack(join(folder, name), ['--only', 'engine', ...where], extra));
    }
  }, 90_000);
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.end('SIGTERM')));
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await control?.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  const json = async (...args: string[]): Promise<Line> => {
    const { code, stdout, stderr } = await runStreams([...args, '--json'], { env });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const isOnAir = (engine: Stack): boolean => {
    const states = engine.lines.filter(({ message }) => /^input is (live|idle)$/.test(String(message)));
    return states.at(-1)?.message === 'input is live';
  };
  const announced = async (relay: Relay, query: string): Promise<{ status: number; lines: string[] }> => {
    const response = await fetch(`http://127.0.0.1:${relay.port}/announced${query}`);
    return { status: response.status, lines: (await response.text()).split('\n').filter((line) => line !== '') };
  };

  it('carry a broadcast from one relay to another, by one engine at a time, until its input is disabled', {
    timeout: 75_000,
  }, async () => {
    const { input, streamKey } = (await json('inputs', 'create', '--name', 'x', '--ingest', 'fmp4')) as unknown as {
      input: { id: string; orgId: string };
      streamKey: string;
    };
    const keyFile = join(folder, 'stream-key.txt');
    await writeFile(keyFile, streamKey);
    const relayUrl = `https://127.0.0.1:${relays[0].port}`;
    const publish = `${process.execPath} ${binary} publish ${input.id} --relay ${relayUrl} --key-file ${keyFile} --json`;
    const publisher = spawn('sh', ['-c', `${encode} pipe:1 | exec ${publish}`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    children.push(publisher);
    const published = finished(publisher, 70_000);
    published.catch(() => undefined);

    const minted = (await json('playback', 'mint', input.id)) as unknown as { token: string };
    const objects: ViewerObject[] = [];
    const gaps: ViewerGap[] = [];
    const states: string[] = [];
    const viewer = new BroadcastViewer({
      url: `https://127.0.0.1:${relays[1].port}/playback/${input.id}?tok=${minted.token}`,
      connect: (url, { signal }) =>
        connect(url, { versions: ['moqt-18'], certificateHashes: [certificate.sha256], signal }),
      onObject: (object) => objects.push(object),
      onGap: (gap) => gaps.push(gap),
      onState: ({ name }) => states.push(name),
    });
    try {
      const pictures = () => objects.filter(({ kind, objectId }) => kind === 'video' && objectId > 0).length;
      await expect.poll(pictures, { timeout: 20_000, message: 'pictures at relay b' }).toBeGreaterThan(30);
      expect(engines.filter(isOnAir)).toHaveLength(1);
      const holder = engines.find(isOnAir)!;
      const other = engines.find((engine) => engine !== holder)!;
      expect(other.lines.map(({ message }) => message)).toContain('a MoQT publisher waits');

      // Who looks at relays shows what relays show each other; nobody else sees names.
      for (const relay of relays) {
        const refused = { status: 401, lines: ['nothing is granted at this path'] };
        expect(await announced(relay, '')).toEqual(refused);
        const { status, lines } = await announced(relay, `?jwt=${serviceToken}`);
        expect(status).toBe(200);
        expect(lines.filter((line) => line.startsWith('stream/'))).toEqual([`stream/org_local/${input.id}`]);
      }

      // The engine and who would start it again are gone at once, without a word.
      const { pid } = await holder.line({ type: 'child', process: 'engine', event: 'ready' });
      const killed = holder.end('SIGKILL');
      process.kill(Number(pid), 'SIGKILL');
      await killed;
      const before = pictures();
      await expect.poll(() => isOnAir(other), { timeout: 12_000, message: 'the other engine takes it' }).toBe(true);
      await expect.poll(pictures, { timeout: 10_000, message: 'the viewer goes on' }).toBeGreaterThan(before + 30);
      expect(viewer.state.name).toBe('playing');
      expect(states).not.toContain('ended');
      const ids = objects.map(({ track, groupId, objectId }) => `${track} ${groupId} ${objectId}`);
      expect(new Set(ids).size).toBe(ids.length);
      for (const kind of ['video', 'audio']) {
        const groups = objects.filter((object) => object.kind === kind).map(({ groupId }) => groupId);
        expect(groups).toEqual(groups.toSorted((x, y) => x - y));
      }

      await json('inputs', 'disable', input.id);
      const { code, stderr } = await published;
      expect(code).not.toBe(0);
      expect(stderr).toContain(`input ${input.id} is disabled`);
      await expect.poll(() => viewer.state.name, { timeout: 10_000 }).toBe('waiting');
      await expect
        .poll(async () => (await announced(relays[1], `?jwt=${serviceToken}`)).lines, { timeout: 10_000 })
        .toEqual([]);
      for (const { lines } of [...relays, control, ...engines]) {
        expect(JSON.stringify(lines)).not.toContain(serviceToken);
        expect(JSON.stringify(lines)).not.toContain(streamKey);
      }
    } finally {
      await viewer.close();
      if (publisher.exitCode === null) process.kill(-publisher.pid!, 'SIGKILL');
    }
  });
});
