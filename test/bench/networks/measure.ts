import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CongestionControl } from '../../../src/transport/quic/native-types.ts';
import { type Link, openLink } from '../../helpers/link/link.ts';
import { cpuSeconds } from '../process-usage.ts';
import { binary } from '../stack.ts';
import type { Watched } from './viewer.ts';

export type Way = 'relay → viewer' | 'publisher → relay';
export type Measured = Watched & {
  /** Of the sending process, per second of the whole run. */
  readonly cpu: number;
};

const program = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const runMs = 3000 + 5000;

/** One broadcast through `streams relay`, over a line that is bad on one way of the two. */
export async function measure(
  way: Way,
  { condition, control, seconds }: { condition: string; control: CongestionControl; seconds: number },
): Promise<Measured> {
  await using link = await openLink();
  const folder = await mkdtemp(join(tmpdir(), 'streams-networks-'));
  const children: ChildProcess[] = [];
  const start = (at: 'near' | 'far', script: string, args: readonly string[]): ChildProcess => {
    const child = link.spawn(at, process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  try {
    const [publisherAt, viewerAt] = way === 'relay → viewer' ? (['near', 'far'] as const) : (['far', 'near'] as const);
    const relay = start('near', binary, relayArguments(link, folder, control));
    await line(relay);
    // Before anybody dials: what a controller learnt on a perfect line would hold for ten seconds.
    await link.line({ both: condition });
    const url = (scheme: string) => `${scheme}://${link.near}:4443`;
    const publisher = start(publisherAt, program('publisher'), [url('moqt'), control]);
    await line(publisher);
    const sender = way === 'relay → viewer' ? relay : publisher;
    const before = cpuSeconds(sender.pid!);
    const watched: Watched = JSON.parse(
      await line(start(viewerAt, program('viewer'), [`${url('https')}/`, String(seconds)])),
    );
    return { ...watched, cpu: (cpuSeconds(sender.pid!) - before) / (seconds + runMs / 1000) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(folder, { recursive: true, force: true });
  }
}

function relayArguments(link: Link, folder: string, control: CongestionControl): string[] {
  const anybody = ['--auth-public', '', '--tls-generate', link.near];
  return [
    'relay',
    '--json',
    '--listen',
    '0.0.0.0:4443',
    ...anybody,
    '--congestion-control',
    control,
    '--data-dir',
    folder,
  ];
}

/** The first line that a process prints. Rejects when it ends without. */
async function line(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const found = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (typeof found[0] !== 'string') throw new Error(`${child.spawnargs.join(' ')} ended with ${found[0]}`);
  return found[0];
}
