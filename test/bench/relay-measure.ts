import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { writeMark } from './mark.ts';
import { cpuSeconds, percentile, residentBytes } from './process-usage.ts';
import { connectOptions, type RelayTarget } from './relay-targets.ts';
import type { ViewersOrder, ViewersReport } from './relay-viewers.ts';

export type Load = {
  readonly viewers: number;
  /** Objects a second. */
  readonly rate: number;
  /** Bytes of an object. */
  readonly size: number;
  /** Objects in a group; each group is a stream. */
  readonly group: number;
  readonly seconds: number;
  /** Viewers by raw QUIC instead of WebTransport. */
  readonly raw: boolean;
};

export type Measured = {
  readonly mbPerSecond: number;
  /** NaN where the process is not known. */
  readonly cpuPerGb: number;
  readonly kibPerSession: number;
  /** Sessions over which that was measured. */
  readonly slopeSessions: number;
  /** Added latency, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
};

/** The code is compiled, the cache (5 s) full, and V8 has collected what handshakes leave (it does so after 8 s). */
const warmUpMs = 10_000;

const ask = <T>(child: ChildProcess, message: object, key: string) =>
  new Promise<T>((resolve, reject) => {
    const gone = (): void => reject(new Error('the viewers are gone'));
    const listen = (answer: Record<string, T>) => {
      if (!(key in answer)) return;
      child.off('message', listen as never);
      child.off('exit', gone);
      resolve(answer[key]!);
    };
    child.on('message', listen as never);
    child.once('exit', gone);
    child.send(message);
  });

/** One broadcast through the relay, watched by many from another process. */
export async function measure(target: RelayTarget, load: Load): Promise<Measured> {
  const { viewers, seconds, raw } = load;
  const { session, publications } = await publisher(target);
  const child = fork(fileURLToPath(new URL('./relay-viewers.js', import.meta.url)));
  const broadcast = new Broadcast(publications, load);
  const memory = (): Promise<number> =>
    target.pid === undefined ? Promise.resolve(Number.NaN) : settledMemory(target.pid);
  const cpu = (): number => (target.pid === undefined ? Number.NaN : cpuSeconds(target.pid));
  try {
    const { playUrl, namespace, trust, version } = target;
    const url = raw ? playUrl.replace(/^https:/, 'moqt:') : playUrl;
    const join = (count: number) => {
      const order: ViewersOrder = { url, namespace, track: 'bench', viewers: count, version, ...(trust && { trust }) };
      return ask(child, { order }, 'joined');
    };
    // Memory is the slope between half of the viewers and all of them: what a relay has anyway is not a session's, nor is what is
    // broadcast meanwhile, so the two looks are close together.
    const half = Math.floor(viewers / 2);
    await join(half);
    broadcast.start();
    await sleep(warmUpMs);
    const halfMemory = await memory();
    await join(viewers - half);
    await sleep(3000);
    const grown = (await memory()) - halfMemory;
    await sleep(warmUpMs - 3000);
    await ask(child, { reset: true }, 'reset');
    const before = cpu();
    await sleep(seconds * 1000);
    const used = cpu() - before;
    const report = await ask<ViewersReport>(child, { report: true }, 'report');
    const sorted = report.latencies.sort((a, b) => a - b);
    return {
      mbPerSecond: report.bytes / 1e6 / seconds,
      cpuPerGb: used / (report.bytes / 1e9),
      kibPerSession: grown / 1024 / (viewers - half),
      slopeSessions: viewers - half,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      lost: report.lost,
    };
  } finally {
    await broadcast.stop();
    if (child.connected) child.send({ stop: true });
    session.close(0, 'bench over');
  }
}

/** The mean over a second: a heap breathes. */
async function settledMemory(pid: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < 20; i++) {
    sum += residentBytes(pid);
    await sleep(50);
  }
  return sum / 20;
}

async function publisher(target: RelayTarget): Promise<{ session: Session; publications: Set<Publication> }> {
  const publications = new Set<Publication>();
  const url = new URL(target.publishUrl);
  const transport = await connect(url.href.replace(/^https:/, 'moqt:'), connectOptions(target));
  const session = await establish(transport, {
    role: 'client',
    path: url.pathname + url.search,
    authority: url.host,
    handlers: {
      subscribe(request) {
        if (request.track.name !== 'bench') return request.reject(0x10, 'no such track');
        const publication = request.accept({ alias: 1 });
        publications.add(publication);
        void request.cancelled.then(() => publications.delete(publication));
      },
    },
  });
  await session.publishNamespace(target.namespace);
  return { session, publications };
}

class Broadcast {
  readonly #publications: ReadonlySet<Publication>;
  readonly #load: Load;
  #running = false;
  #done: Promise<void> = Promise.resolve();

  constructor(publications: ReadonlySet<Publication>, load: Load) {
    this.#publications = publications;
    this.#load = load;
  }

  start(): void {
    this.#running = true;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    const { group, rate, size } = this.#load;
    const startedAt = performance.now();
    let groupId = Date.now();
    let writer: ReturnType<Publication['openSubgroup']> | undefined;
    for (let sequence = 0; this.#running; ) {
      const inGroup = sequence % group;
      if (inGroup === 0) {
        writer?.finish();
        const [publication] = this.#publications;
        writer = publication?.openSubgroup({ groupId: groupId++, subgroupId: 0, priority: 2, endOfGroup: true });
      }
      const payload = new Uint8Array(size);
      writeMark(payload, sequence);
      writer?.write({ objectId: inGroup, status: 'normal', properties: undefined, payload });
      sequence++;
      await sleep(Math.max(0, startedAt + (sequence * 1000) / rate - performance.now()));
    }
    writer?.finish();
  }
}
