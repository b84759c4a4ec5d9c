import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createRelayKey, signRelayToken } from '../../src/serve/relay-token.ts';
import { repoRoot } from '../helpers/streams-cli.ts';

const binary = join(repoRoot, 'bin', 'streams.js');
const readyMs = 20_000;

type Line = Record<string, unknown>;

/** A relay of a cluster as a process of its own. */
export type Node = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly lines: Line[];
  /** What its HTTP answers. */
  get(path: string): Promise<string>;
  /** `/metrics` of its internal listener. */
  metrics(): Promise<string>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type NodeOptions = {
  readonly name: string;
  /** Where tests reach it. */
  readonly host?: string;
  /** What it listens on; default `host`. */
  readonly bind?: string;
  /** The `[cluster]` section; FOLDER is where key and tokens are. */
  readonly cluster: string;
  /** Runs the relay by another command, e.g. in a network namespace. */
  readonly within?: readonly string[];
  readonly port: number;
};

/** A folder with a key and tokens, and the relays that were started in it. */
export class ClusterRun {
  readonly folder: string;
  readonly #nodes: Node[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `cluster.jwt` has the cluster right, `plain.jwt` all rights but that. */
  static async begin(): Promise<ClusterRun> {
    const folder = await mkdtemp(join(tmpdir(), 'streams-cluster-'));
    const { key } = await createRelayKey({ algorithm: 'HS256', to: { file: join(folder, 'root.jwk') } });
    const all = { root: '', publish: [''], subscribe: [''] };
    await writeFile(join(folder, 'cluster.jwt'), await signRelayToken(key, { ...all, cluster: true }));
    await writeFile(join(folder, 'plain.jwt'), await signRelayToken(key, all));
    return new ClusterRun(folder);
  }

  async node({ name, host = '127.0.0.1', bind = host, port, cluster, within = [] }: NodeOptions): Promise<Node> {
    const { folder } = this;
    const file = join(folder, `${name}.toml`);
    const address = `${bind}:${port}`;
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(
      file,
      [
        'drain_timeout = "300ms"',
        `[listen]\nbind = "${address}"\ntls.generate = ["localhost", "${host}"]`,
        `[web.http]\nlisten = "${address}"\n[internal]\nlisten = "127.0.0.1:0"`,
        `[auth]\npublic = ""\nkey = "${join(folder, 'root.jwk')}"`,
        `[cluster]\n${cluster.replaceAll('FOLDER', folder)}`,
      ].join('\n'),
    );
    const lines: Line[] = [];
    let child: ChildProcess | undefined;
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const exited = once(ending, 'exit');
      ending.kill(signal);
      await exited;
    };
    const node: Node = {
      name,
      host,
      port,
      lines,
      get: (path) => fetched(`http://${host}:${port}${path}`),
      metrics() {
        const { urls } = lines.findLast((line) => line.type === 'ready') as { urls: { internal: string } } & Line;
        return fetched(`${urls.internal}/metrics`);
      },
      kill: () => end('SIGKILL'),
      stop: () => end('SIGTERM'),
      async start() {
        const [command, ...args] = [
          ...within,
          process.execPath,
          binary,
          'relay',
          file,
          '--json',
          '--data-dir',
          join(folder, name),
        ];
        child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        await ready(child, lines);
      },
    };
    this.#nodes.push(node);
    await node.start();
    return node;
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function fetched(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  return response.ok ? response.text() : `status ${response.status}`;
}

function ready(child: ChildProcess, lines: Line[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a relay is not ready in time')), readyMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`a relay ended (${code}): ${JSON.stringify(lines.slice(-3))}`));
    });
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      lines.push(line);
      if (line.type !== 'ready') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Ports free for UDP and TCP alike, ascending. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const held: (() => void)[] = [];
  while (ports.length < count) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    held.push(() => server.close());
    const { port } = server.address() as { port: number };
    const socket = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    socket.close();
    if (bound) ports.push(port);
  }
  for (const release of held) release();
  return ports.sort((a, b) => a - b);
}
