import { parseArgs } from 'node:util';
import { type CongestionControl, congestionControls } from '../../../src/transport/quic/native-types.ts';
import { linkMissing } from '../../helpers/link/link.ts';
import { type Measured, measure, type Way } from './measure.ts';

const usage =
  'npm run bench -- networks [--seconds 20] [--control cubic,bbr] [--way down,up] [--line "3 % loss; 10 %"] (as root on Linux)';

/** Both directions alike, delay one way: see test/helpers/link/link.c. */
const lines: Readonly<Record<string, string>> = {
  'good, 20 ms': 'delay=10',
  '1 % loss, 100 ms': 'delay=50 loss=1',
  '3 % loss, 100 ms': 'delay=50 loss=3',
  '5 % loss, 100 ms': 'delay=50 loss=5',
  '10 % loss, 100 ms': 'delay=50 loss=10',
  'bursts of loss, 100 ms': 'delay=50 burst=0.7,30',
  '30 ± 20 ms': 'delay=15 jitter=10',
  '4 Mbit/s, queue 50 ms': 'delay=20 rate=4e6 queue=50',
  '4 Mbit/s, queue 1 s': 'delay=20 rate=4e6 queue=1000',
  '1.5 Mbit/s, queue 50 ms': 'delay=20 rate=1.5e6 queue=50',
  '1.5 Mbit/s, queue 1 s': 'delay=20 rate=1.5e6 queue=1000',
};
const ways: Readonly<Record<string, Way>> = { down: 'relay → viewer', up: 'publisher → relay' };

/** A 720p30 broadcast of 2.5 Mbit/s over bad lines: what arrives, and when, by congestion control. */
export async function benchNetworks(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '20' },
      control: { type: 'string', default: 'cubic,bbr' },
      way: { type: 'string', default: 'down,up' },
      line: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  const missing = linkMissing();
  if (missing !== undefined) return print(`not here: ${missing}`);
  const seconds = Number(values.seconds);
  const controls = values.control.split(',');
  const unknown = controls.find((name) => !congestionControls.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`no congestion control ${unknown}; ${usage}`);
  const asked = values.line?.split(';').map((part) => part.trim());
  print('| way | line | control | frames | sound | p50 s | p99 s | sound p99 s | longest hole s | CPU % |');
  print('|---|---|---|---|---|---|---|---|---|---|');
  for (const key of values.way.split(',')) {
    const way = ways[key];
    if (way === undefined) throw new Error(`no way ${key}; ${usage}`);
    for (const [name, condition] of Object.entries(lines)) {
      if (asked !== undefined && !asked.some((part) => name.startsWith(part))) continue;
      for (const control of controls as CongestionControl[]) {
        print(row(way, name, control, await measure(way, { condition, control, seconds })));
      }
    }
  }
}

function row(way: Way, name: string, control: CongestionControl, of: Measured): string {
  const percent = (part: number, whole: number) => `${Math.round((part / whole) * 1000) / 10} %`;
  const s = (ms: number) => (Number.isNaN(ms) ? '–' : (ms / 1000).toFixed(2));
  const cells = [
    way,
    name,
    control,
    percent(of.frames, of.framesSent),
    percent(of.sounds, of.soundsSent),
    s(of.p50),
    s(of.p99),
    s(of.soundP99),
    s(of.longestHole),
    (of.cpu * 100).toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}
