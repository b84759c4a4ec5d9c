import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Link, linkMissing, openLink } from './link.ts';

const missing = linkMissing();
const echo = `const s = require('dgram').createSocket('udp4');
s.on('message', (m, r) => s.send(m, r.port, r.address)).bind(7000, '0.0.0.0', () => console.log('open'));
process.stdin.resume().on('end', () => process.exit());`;
/** Sends 200 of 1000 bytes, 4 ms apart; prints how many came back, and the shortest and median round trip. */
const ask = `const s = require('dgram').createSocket('udp4'); const rtt = []; let sent = 0;
s.on('message', (m) => rtt.push(performance.now() - m.readDoubleBE(0)));
const timer = setInterval(() => {
  if (sent++ === 200) { clearInterval(timer); setTimeout(() => { rtt.sort((a, b) => a - b);
    console.log(JSON.stringify({ back: rtt.length, least: rtt[0], median: rtt[rtt.length >> 1], most: rtt.at(-1) })); s.close(); }, 450); return; }
  const m = Buffer.alloc(1000); m.writeDoubleBE(performance.now()); s.send(m, 7000, process.argv[1]);
}, 4);`;

describe('the line of the network tests', () => {
  let link: Link;
  let server: ReturnType<Link['spawn']> | undefined;
  beforeEach(({ skip }) => skip(missing !== undefined, missing));
  beforeAll(async () => {
    if (missing !== undefined) return;
    link = await openLink();
    server = link.spawn('near', process.execPath, ['-e', echo], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(server.stdout!, 'data');
  });
  afterAll(async () => {
    server?.stdin?.end();
    await link?.[Symbol.asyncDispose]();
  });

  async function measure(): Promise<{ back: number; least: number; median: number; most: number }> {
    const client = link.spawn('far', process.execPath, ['-e', ask, link.near], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    client.stdout!.on('data', (data) => {
      text += data;
    });
    await once(client, 'close');
    return JSON.parse(text);
  }

  it('loses and delays as told', async () => {
    await link.line({ both: 'delay=50', down: 'loss=30' });
    const { back, least } = await measure();
    expect(back).toBeGreaterThan(105);
    expect(back).toBeLessThan(175);
    expect(least).toBeGreaterThanOrEqual(100);
  });

  it('has a rate, and a queue that fills', async () => {
    // 2 Mbit/s offered to a line of 1 Mbit/s.
    await link.line({ up: 'rate=1e6 queue=300' });
    const { back, most } = await measure();
    expect(back).toBeGreaterThan(90);
    expect(back).toBeLessThan(185);
    expect(most).toBeGreaterThan(280);
  });

  it('blocks what it is told to block, and refuses what it does not know', async () => {
    await link.line({ both: 'blockudp=1' });
    expect((await measure()).back).toBe(0);
    await expect(link.line({ both: 'colour=3' })).rejects.toThrow('not known: colour=3');
    await link.line({});
    expect((await measure()).back).toBe(200);
  });
});
