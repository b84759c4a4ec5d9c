import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeConnect } from '../../commands/watch/broadcast.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { type BlockedLine, blockedLine } from '../helpers/blocked-line.ts';
import { openRelay } from '../relay/open-relay.ts';
import { commandLine } from './command-line.ts';

async function line(blocked: { udp?: boolean; tcp?: boolean }): Promise<BlockedLine & { trust: Uint8Array[] }> {
  const { relay, close } = await openRelay();
  const opened = await blockedLine(relay.port, blocked);
  onTestFinished(async () => {
    await opened[Symbol.asyncDispose]();
    await close();
  });
  return Object.assign(opened, { trust: [fromHex(relay.certificateSha256)] });
}
// {"alg":"none"}.{"ns":…}: the relay here lets everybody in, and the viewer reads the namespace.
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = `${encode({ alg: 'none' })}.${encode({ ns: ['stream/org_a/lv_1'], exp: 4e9 })}.x`;
const playback = (port: number) => `https://127.0.0.1:${port}/playback/lv_1?tok=${token}`;

describe('a relay behind a firewall', () => {
  it('is reached by WebSocket where UDP does not come through, by viewers and publishers', async () => {
    const { port, trust } = await line({ udp: true });
    const { signal } = new AbortController();
    const startedAt = performance.now();
    const transport = await nodeConnect(trust)(playback(port), { signal });
    expect(transport.kind).toBe('qmux');
    expect(performance.now() - startedAt).toBeLessThan(3000);
    transport.close({ code: 0, reason: '' });
  });

  it('is reached by QUIC where that comes through', async () => {
    const { port, trust } = await line({});
    const transport = await nodeConnect(trust)(playback(port), { signal: new AbortController().signal });
    expect(transport.kind).toBe('webtransport');
    transport.close({ code: 0, reason: '' });
  });

  it('watch waits there for an input off air', async () => {
    const { port, trust } = await line({ udp: true });
    const hash = ['--cert-hash', Buffer.from(trust[0]!).toString('hex')];
    const { code, stderr } = await commandLine(['watch', playback(port), ...hash, '--duration', '4s']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('NO_MEDIA')]);
  });

  it('watch says what to check where nothing comes through, however short it was to last', async () => {
    const { port } = await line({ udp: true, tcp: true });
    for (const more of [['--duration', '1s'], []]) {
      const { code, stderr } = await commandLine(['watch', playback(port), '--cert-hash', '00'.repeat(32), ...more]);
      expect([code, stderr]).toEqual([4, expect.stringContaining('[RELAY_UNREACHABLE]')]);
      expect(stderr).toContain(`UDP port ${port}`);
      expect(stderr).not.toContain(token);
    }
  }, 30_000);

  it('watch says so when nobody is there', async () => {
    const { port } = await line({});
    const { relay, close } = await openRelay();
    await close();
    expect(port).not.toBe(relay.port);
    const { code, stderr } = await commandLine(['watch', playback(relay.port)]);
    expect([code, stderr]).toEqual([4, expect.stringContaining('[RELAY_UNREACHABLE]')]);
    expect(stderr).toContain('Is it running');
  });
});
