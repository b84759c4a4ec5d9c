import { expect, it, onTestFinished, vi } from 'vitest';
import { nodeConnect } from '../../../commands/watch/broadcast.ts';
import { fromHex } from '../../../src/core/bytes.ts';
import { PublisherSession } from '../../../src/sdk/publisher/publisher-session.ts';
import { BroadcastViewer } from '../../../src/sdk/viewer/broadcast-viewer.ts';
import type { ViewerState } from '../../../src/sdk/viewer/viewer-types.ts';
import { establish } from '../../../src/session/establish.ts';
import { connect } from '../../../src/transport/connect.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { startBroadcast } from '../../bench/networks/broadcast.ts';
import { blockedLine } from '../../helpers/blocked-line.ts';
import { openRelay } from '../../relay/open-relay.ts';

/** A broadcast through a relay, and a viewer behind a line that can be blocked. */
async function watched(blocked: { udp?: boolean } = {}) {
  const { relay, close } = await openRelay();
  const line = await blockedLine(relay.port, blocked);
  const certificateHashes = [fromHex(relay.certificateSha256)];
  const { broadcast, stop } = startBroadcast();
  const url = `moqt://127.0.0.1:${relay.port}`;
  const transport = await connect(url, { versions: ['moqt-18'], certificateHashes });
  const { handlers } = new PublisherSession(broadcast, transport, () => {});
  const path = '/publish/lv_1';
  const session = await establish(transport, { role: 'client', path, authority: '127.0.0.1', handlers });
  const namespace = ['stream', 'org_a', 'lv_1'];
  await session.publishNamespace(namespace);
  const states: ViewerState[] = [];
  const kinds: Transport['kind'][] = [];
  let received = 0;
  const dial = nodeConnect(certificateHashes);
  const viewer = new BroadcastViewer({
    url: `https://127.0.0.1:${line.port}/playback/lv_1`,
    namespace,
    connectTimeoutMs: 4000,
    connect: async (to, options) => {
      const opened = await dial(to, options);
      kinds.push(opened.kind);
      return opened;
    },
    onState: (state) => states.push(state),
    onObject: () => received++,
  });
  onTestFinished(async () => {
    stop();
    await viewer.close();
    session.close(0, '');
    await line[Symbol.asyncDispose]();
    await close();
  });
  const plays = async (timeout = 15_000) => {
    const before = received;
    await vi.waitFor(() => expect(received).toBeGreaterThan(before + 60), { timeout, interval: 50 });
  };
  const inState = (name: ViewerState['name'], timeout: number) =>
    vi.waitFor(() => expect(viewer.state.name).toBe(name), { timeout, interval: 20 });
  return { line, viewer, states, kinds, plays, inState };
}

it('says within 2 s that nothing comes, and goes on by WebSocket where UDP vanished in mid-session', {
  timeout: 60_000,
}, async () => {
  const { line, states, kinds, plays, inState } = await watched();
  await plays();
  expect(kinds).toEqual(['webtransport']);
  line.block({ udp: true });
  await inState('stalled', 2000);
  await inState('playing', 8000);
  await plays();
  expect(kinds).toEqual(['webtransport', 'qmux']);
  // It was never told that it must begin anew.
  expect(states.map(({ name }) => name)).not.toContain('reconnecting');
});

it('goes back to WebTransport, without a break, when that comes through again', { timeout: 60_000 }, async () => {
  const { line, viewer, states, kinds, plays } = await watched({ udp: true });
  await plays();
  expect(kinds).toEqual(['qmux']);
  line.block({ udp: false });
  await vi.waitFor(() => expect(kinds).toEqual(['qmux', 'webtransport']), { timeout: 30_000, interval: 100 });
  const { gaps } = viewer.stats.tracks.video!;
  await plays();
  expect(viewer.stats.tracks.video!.gaps).toBe(gaps);
  expect(states.map(({ name }) => name)).not.toContain('reconnecting');
});

it('keeps what it has where the line is back before another way is found', { timeout: 60_000 }, async () => {
  const { line, viewer, plays, inState } = await watched();
  await plays();
  line.block({ udp: true, tcp: true });
  await inState('stalled', 2000);
  line.block({ udp: false });
  await inState('playing', 8000);
  await plays();
  expect(viewer.stats.reconnects).toBeLessThanOrEqual(1);
});

it('says that the relay cannot be reached where nothing comes through any more, and comes back', {
  timeout: 60_000,
}, async () => {
  const { line, viewer, plays, inState } = await watched();
  await plays();
  line.block({ udp: true, tcp: true });
  await inState('reconnecting', 10_000);
  expect(viewer.state).toMatchObject({ error: { code: 'RELAY_UNREACHABLE' } });
  line.block({ udp: false, tcp: false });
  await inState('playing', 12_000);
  await plays();
});
