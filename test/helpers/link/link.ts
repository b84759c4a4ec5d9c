import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Two hosts with a bad line of ours between them: network namespaces, and link.c in a third one. Linux, as root. */
export interface Link extends AsyncDisposable {
  /** Addresses of the two ends. */
  readonly near: string;
  readonly far: string;
  /** What is set replaces what was: `delay=50 loss=3`, see link.c. "down" is from near to far. Rejects with what it refuses. */
  line(settings: { readonly both?: string; readonly down?: string; readonly up?: string }): Promise<void>;
  /** Starts a program on one of the two hosts. Who starts it ends it. */
  spawn(at: 'near' | 'far', command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

const near = '10.71.0.1';
const far = '10.71.0.2';
/** From test/ and from dist/test/: the C file is not compiled by tsc. */
const source = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../../test/helpers/link/link.c' : './link.c', import.meta.url),
);

/** Why there can be no such line here; undefined: there can. */
export function linkMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  for (const [program, ...args] of [
    ['cc', '--version'],
    ['ip', '-V'],
    ['nsenter', '-V'],
    ['unshare', '-n', 'true'],
  ]) {
    try {
      execFileSync(program!, args, { stdio: 'ignore' });
    } catch {
      return `${[program, ...args].join(' ')} fails here`;
    }
  }
  return undefined;
}

/**
 * Namespaces live as long as a process in them, whose standard input we hold: they and their interfaces go when we do, however
 * that happens.
 */
export async function openLink(): Promise<Link> {
  const folder = mkdtempSync(join(tmpdir(), 'streams-link-'));
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children) child.stdin!.end();
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const program = join(folder, 'link');
    execFileSync('cc', ['-O2', '-o', program, source]);
    const hosts = await Promise.all([host(children), host(children), host(children)]);
    const [a, b, middle] = hosts as [number, number, number];
    wire(middle, 'near', a, near);
    wire(middle, 'far', b, far);
    const emulator = spawn('nsenter', ['-t', String(middle), '-n', program, 'near', 'far'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(emulator);
    const answers = createInterface({ input: emulator.stdout })[Symbol.asyncIterator]();
    const order = async (text?: string): Promise<void> => {
      if (text !== undefined) emulator.stdin.write(`${text}\n`);
      const { value, done } = await answers.next();
      if (done || value !== (text === undefined ? 'ready' : 'ok')) throw new Error(`link: ${value ?? 'it has ended'}`);
    };
    await order();
    return {
      near,
      far,
      async line(settings) {
        await order('both reset');
        for (const [direction, words] of Object.entries(settings)) await order(`${direction} ${words}`);
      },
      spawn: (at, command, args, options = {}) =>
        spawn('nsenter', ['-t', String(at === 'near' ? a : b), '-n', command, ...args], options),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The process that keeps a namespace open. */
async function host(children: ChildProcess[]): Promise<number> {
  const child = spawn('unshare', ['-n', 'sh', '-c', 'echo open; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  inside(child.pid!, 'link', 'set', 'lo', 'up');
  return child.pid!;
}

/** A super-packet of segmentation offload would arrive as one, and be lost or delayed as one. */
const noOffload = ['gso_max_segs', '1'];

function wire(middle: number, name: string, end: number, address: string): void {
  inside(middle, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(end));
  inside(middle, 'link', 'set', name, 'up', ...noOffload);
  inside(end, 'link', 'set', 'eth0', 'up', ...noOffload);
  inside(end, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
}

function inside(namespace: number, ...args: string[]): void {
  execFileSync('nsenter', ['-t', String(namespace), '-n', 'ip', ...args]);
}
