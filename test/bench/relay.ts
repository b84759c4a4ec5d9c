import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { engineProof } from '../../src/access/engine-proof.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { writeMark } from './mark.ts';
import { cpuSeconds, percentile, residentBytes } from './process-usage.ts';
import type { ViewersReport } from './relay-viewers.ts';
import { createInput, type Stack, startStack } from './stack.ts';

const usage =
  'npm run bench -- relay [--viewers 50,200] [--size 8192] [--rate 10,25] [--group 10] [--seconds 10] [--raw]';

type Row = {
  viewers: number;
  rate: number;
  cpuPerGb: number;
  p50: number;
  p99: number;
  kibPerSession: number;
  lost: number;
  mbPerSecond: number;
};

const ask = <T>(child: ChildProcess, message: object, key: string) =>
  new Promise<T>((resolve) => {
    const listen = (answer: Record<string, T>) => {
      if (!(key in answer)) return;
      child.off('message', listen as never);
      resolve(answer[key]!);
    };
    child.on('message', listen as never);
    child.send(message);
  });

async function run(
  viewers: number,
  rate: number,
  size: number,
  group: number,
  seconds: number,
  raw: boolean,
): Promise<Row> {
  const stack = await startStack(['--only', 'control,relay']);
  try {
    return await measure(stack, viewers, rate, size, group, seconds, raw);
  } finally {
    await stack.stop();
  }
}

async function measure(
  stack: Stack,
  viewers: number,
  rate: number,
  size: number,
  group: number,
  seconds: number,
  raw: boolean,
): Promise<Row> {
  const input = await createInput(stack);
  const relayUrl = stack.urls.relay.replace(/^https:/, 'moqt:');
  const namespace = JSON.parse(
    Buffer.from(new URL(input.url).searchParams.get('tok')!.split('.')[1]!, 'base64url').toString(),
  ).ns[0].split('/');
  const publications = new Set<Publication>();
  const transport = await connect(relayUrl, { versions: ['moqt-18'] });
  const session = await establish(transport, {
    role: 'client',
    path: `/publish/${input.id}?engine=${engineProof(stack.env.STREAMS_SERVICE_TOKEN!, `publish ${input.id}`)}`,
    authority: new URL(stack.urls.relay).host,
    handlers: {
      subscribe(request) {
        publications.add(request.accept({ alias: 1 }));
      },
    },
  });
  await session.publishNamespace(namespace);

  const child = fork(fileURLToPath(new URL('./relay-viewers.js', import.meta.url)));
  try {
    const url = raw ? input.url.replace(/^https:/, 'moqt:') : input.url;
    const join = (count: number) => ask(child, { order: { url, namespace, track: 'bench', viewers: count } }, 'joined');
    // Memory is the slope between half of the viewers and all of them: the process's own start-up is not a session's.
    const half = Math.floor(viewers / 2);
    await join(half);

    let sequence = 0;
    let groupId = Date.now();
    let publishing = true;
    const publish = (async () => {
      const started = performance.now();
      let writer: ReturnType<Publication['openSubgroup']> | undefined;
      while (publishing) {
        const inGroup = sequence % group;
        if (inGroup === 0) {
          writer?.finish();
          const [publication] = publications;
          writer = publication!.openSubgroup({ groupId: groupId++, subgroupId: 0, priority: 2, endOfGroup: true });
        }
        const payload = new Uint8Array(size);
        writeMark(payload, sequence);
        writer!.write({ objectId: inGroup, status: 'normal', properties: undefined, payload });
        sequence++;
        await sleep(Math.max(0, started + (sequence * 1000) / rate - performance.now()));
      }
      writer?.finish();
    })();

    await sleep(3000);
    const halfMemory = residentBytes(stack.pids.relay);
    await join(viewers - half);
    await sleep(3000);
    const memory = residentBytes(stack.pids.relay) - halfMemory;
    await ask(child, { reset: true }, 'reset');
    const cpu = cpuSeconds(stack.pids.relay);
    await sleep(seconds * 1000);
    const used = cpuSeconds(stack.pids.relay) - cpu;
    const report = await ask<ViewersReport>(child, { report: true }, 'report');
    publishing = false;
    await publish;
    const sorted = report.latencies.sort((a, b) => a - b);
    return {
      viewers,
      rate,
      cpuPerGb: used / (report.bytes / 1e9),
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      kibPerSession: memory / 1024 / (viewers - half),
      lost: report.lost,
      mbPerSecond: report.bytes / 1e6 / seconds,
    };
  } finally {
    child.send({ stop: true });
    session.close(0, 'bench over');
  }
}

/** Server CPU per GB, added latency and memory per session of our relay as `streams serve` runs it. */
export async function benchRelay(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      viewers: { type: 'string', default: '50,200' },
      size: { type: 'string', default: '8192' },
      rate: { type: 'string', default: '10,25' },
      group: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '10' },
      raw: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  const list = (text: string) => text.split(',').map(Number);
  print(
    `relay, ${values.size}-byte objects, ${values.group} a group, ${values.raw ? 'raw QUIC' : 'WebTransport'}, ${values.seconds} s each`,
  );
  print('viewers  objects/s   MB/s  CPU-s/GB   p50 ms   p99 ms  KiB/session  lost');
  for (const viewers of list(values.viewers))
    for (const rate of list(values.rate)) {
      const row = await run(
        viewers,
        rate,
        Number(values.size),
        Number(values.group),
        Number(values.seconds),
        values.raw,
      );
      print(
        [
          row.viewers,
          row.rate,
          row.mbPerSecond.toFixed(1),
          row.cpuPerGb.toFixed(2),
          row.p50.toFixed(1),
          row.p99.toFixed(1),
          row.kibPerSession.toFixed(0),
          row.lost,
        ]
          .map((cell, index) => String(cell).padStart([7, 10, 6, 9, 8, 8, 12, 5][index]!))
          .join(' '),
      );
    }
}
