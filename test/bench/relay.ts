import { parseArgs } from 'node:util';
import { type Load, type Measured, measure } from './relay-measure.ts';
import { ownRelay, peerRelay, type RelayTarget } from './relay-targets.ts';

const usage = `npm run bench -- relay [--viewers 50,200] [--size 8192] [--rate 10,25] [--group 10] [--seconds 10] [--raw]
  [--version moqt-18]
  [--peer https://127.0.0.1:4445/  --peer-pid <pid>  --peer-certificate <SHA-256>  --peer-version moqt-18]
With --peer another relay is measured beside ours, in turn: anybody must be allowed to publish and subscribe below the
path. Without --peer-certificate any certificate will do. CPU and memory are those of --peer-pid.`;

const columns: { head: string; width: number; cell(row: Measured): string }[] = [
  { head: 'MB/s', width: 6, cell: (row) => row.mbPerSecond.toFixed(1) },
  { head: 'CPU-s/GB', width: 9, cell: (row) => row.cpuPerGb.toFixed(2) },
  { head: 'p50 ms', width: 8, cell: (row) => row.p50.toFixed(1) },
  { head: 'p99 ms', width: 8, cell: (row) => row.p99.toFixed(1) },
  // Below 100 sessions a heap's breath is larger than what they take.
  { head: 'KiB/session', width: 12, cell: (row) => (row.slopeSessions < 100 ? '-' : row.kibPerSession.toFixed(0)) },
  { head: 'lost', width: 5, cell: (row) => String(row.lost) },
];

/**
 * Server CPU per GB, added latency and memory per session of our relay as `streams serve` runs it, and of another one beside
 * it.
 */
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
      version: { type: 'string', default: 'moqt-18' },
      peer: { type: 'string' },
      'peer-pid': { type: 'string' },
      'peer-certificate': { type: 'string' },
      'peer-version': { type: 'string', default: 'moqt-18' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  const { peer, version } = values;
  const list = (text: string) => text.split(',').map(Number);
  const [size, group, seconds] = [Number(values.size), Number(values.group), Number(values.seconds)];
  const transport = values.raw ? 'raw QUIC' : 'WebTransport';
  print(`relay, ${size}-byte objects, ${group} a group, ${transport}, ${seconds} s each`);
  print(`${'relay'.padEnd(8)} viewers objects/s${columns.map(({ head, width }) => head.padStart(width + 1)).join('')}`);
  for (const viewers of list(values.viewers))
    for (const rate of list(values.rate)) {
      const load: Load = { viewers, rate, size, group, seconds, raw: values.raw };
      const row = (name: string, cells: readonly string[]) =>
        print(
          [
            name.padEnd(8),
            String(viewers).padStart(7),
            String(rate).padStart(9),
            ...cells.map((cell, i) => cell.padStart(columns[i]!.width)),
          ].join(' '),
        );
      const of = async (target: RelayTarget): Promise<Measured> => {
        try {
          const measured = await measure(target, load);
          row(
            target.name,
            columns.map(({ cell }) => cell(measured)),
          );
          return measured;
        } finally {
          await target.stop();
        }
      };
      const ours = await of(await ownRelay(version));
      if (peer === undefined) continue;
      const theirs = await of(
        peerRelay({
          url: peer,
          pid: values['peer-pid'] === undefined ? undefined : Number(values['peer-pid']),
          certificateHash: values['peer-certificate'],
          version: values['peer-version'],
        }),
      );
      const ratio = (a: number, b: number) => (a / b).toFixed(2);
      row('ratio', [
        '',
        ratio(ours.cpuPerGb, theirs.cpuPerGb),
        ratio(ours.p50, theirs.p50),
        ratio(ours.p99, theirs.p99),
        ratio(ours.kibPerSession, theirs.kibPerSession),
      ]);
    }
}
