import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BroadcastViewer } from '../../src/sdk/index.ts';
import { connect } from '../../src/transport/connect.ts';
import { needFfmpeg } from '../bench/encoder.ts';
import { cpuSeconds, residentBytes } from '../bench/process-usage.ts';
import { startStack } from '../bench/stack.ts';
import { type SoakedIngest, soakedIngests, startSoaked } from './encoders.ts';
import { slopePerHour, TrackTimes } from './figures.ts';

const usage = `npm run soak -- engine [--minutes 30] [--every 10] [--inputs ${soakedIngests.join(',')}] [--size 640x360]`;
/** What starting up takes up, before growth is measured. */
const warmUpShare = 0.2;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Four live inputs, one for each way in, each with a viewer over MoQT and one of LL-HLS: memory of the three processes and the
 * distance of sound and pictures, over time. Throws when an encoder or a viewer was lost.
 */
export async function soakEngine(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '30' },
      every: { type: 'string', default: '10' },
      inputs: { type: 'string', default: soakedIngests.join(',') },
      size: { type: 'string', default: '640x360' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  needFfmpeg();
  const stack = await startStack();
  const encoders: Awaited<ReturnType<typeof startSoaked>>[] = [];
  const watched: { ingest: SoakedIngest; viewer: BroadcastViewer; times: TrackTimes; gaps: number }[] = [];
  let polling = true;
  const polls: Promise<void>[] = [];
  try {
    for (const ingest of values.inputs.split(',') as SoakedIngest[])
      encoders.push(await startSoaked(stack, ingest, { size: values.size, ladder: 'none' }));
    for (const { input } of encoders) {
      const times = new TrackTimes();
      const entry = { ingest: input.ingest, times, gaps: 0 };
      const viewer = new BroadcastViewer({
        url: `${stack.urls.relay}/playback/${input.id}?tok=${input.token}`,
        connect: (url, { signal }) => connect(url, { versions: ['moqt-18'], signal }),
        onObject: (object) => times.object(object),
        onGap: () => void watch.gaps++,
      });
      const watch = Object.assign(entry, { viewer });
      watched.push(watch);
      polls.push(pollHls(`${stack.urls.http}/hls/${input.id}/`, input.token, () => polling));
    }
    const names = ['control', 'relay', 'engine'] as const;
    const samples: { at: number; rss: number[] }[] = [];
    const began = performance.now();
    const total = Number(values.minutes) * 60_000;
    const cpuBefore = names.map((name) => cpuSeconds(stack.pids[name]));
    print(`seconds  ${names.map((name) => name.padStart(9)).join(' ')}   pictures ahead of sound, gaps`);
    for (let next = began; next < began + total; ) {
      next = Math.min(next + Number(values.every) * 1000, began + total);
      await sleep(next - performance.now());
      const at = performance.now() - began;
      const rss = names.map((name) => residentBytes(stack.pids[name]));
      samples.push({ at, rss });
      const skews = watched.map(({ ingest, times, gaps }) => `${ingest} ${times.skewMs?.toFixed(0) ?? '-'} ms ${gaps}`);
      print(
        `${(at / 1000).toFixed(0).padStart(7)}  ${rss.map((b) => megabytes(b).padStart(9)).join(' ')}   ${skews.join('  ')}`,
      );
      const dead = encoders.filter((encoder) => !encoder.alive());
      if (dead.length > 0) throw new Error(`the encoder of ${dead[0]!.input.ingest} has ended`);
    }
    const warm = samples.filter(({ at }) => at >= total * warmUpShare);
    const minutes = ((warm.at(-1)!.at - warm[0]!.at) / 60_000).toFixed(1);
    print('');
    for (const [i, name] of names.entries()) {
      const points = warm.map(({ at, rss }) => [at, rss[i]!] as const);
      const cpu = ((cpuSeconds(stack.pids[name]) - cpuBefore[i]!) / (total / 1000)) * 100;
      print(
        `${name.padEnd(8)} ${megabytes(points[0]![1])} → ${megabytes(points.at(-1)![1])} in ${minutes} min, ${megabytes(slopePerHour(points))} an hour, ${cpu.toFixed(1)} % of a core`,
      );
    }
    for (const { ingest, times, gaps, viewer } of watched) {
      const { largest, drift } = times.summary();
      print(
        `${ingest.padEnd(8)} sound and pictures at most ${largest.toFixed(0)} ms apart, moved by ${drift.toFixed(1)} ms from the first minute to the last; ${gaps} gaps, ${viewer.stats.reconnects} reconnects`,
      );
    }
    const silent = watched.filter(({ times }) => times.skewMs === undefined);
    if (silent.length > 0) throw new Error(`nothing came of ${silent.map(({ ingest }) => ingest).join(', ')}`);
  } finally {
    polling = false;
    await Promise.all(watched.map(({ viewer }) => viewer.close()));
    await Promise.all(encoders.map((encoder) => encoder.stop()));
    await stack.stop();
    await Promise.all(polls);
  }
}

/** A plain HLS player: the multivariant playlist and the media playlists, once a second. */
async function pollHls(base: string, token: string, wanted: () => boolean): Promise<void> {
  while (wanted()) {
    try {
      const text = await (await fetch(`${base}index.m3u8?tok=${token}`)).text();
      const uris = [...text.matchAll(/URI="([^"]+)"|^([^#\n].*)$/gm)].map((match) => match[1] ?? match[2]!);
      for (const uri of uris) await (await fetch(new URL(uri, base))).text();
    } catch {
      // The stack stops: the loop does too.
    }
    await sleep(1000);
  }
}
