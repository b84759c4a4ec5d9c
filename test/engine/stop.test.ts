import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { demoFile, inputId, startHarness, until } from './harness.ts';

it('lets go of the encoder and the relay when the control plane wants the input off the air', async () => {
  await using harness = await startHarness();
  const encoder = spawn(
    'ffmpeg',
    ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', demoFile, '-c', 'copy', '-f', 'flv', harness.url()],
    { stdio: 'ignore' },
  );
  const exited = once(encoder, 'exit');
  try {
    await until(() => harness.relays.length > 0, 'the engine connects to the relay');
    await until(() => harness.control.heartbeats.at(-1)?.includes(inputId) === true, 'the input is live');
    await until(() => Number(harness.control.stats?.fps) > 0, 'the ingest is measured');
    expect(harness.control.stats).toMatchObject({ publisher: 'rtmp', relayConnected: true });
    harness.control.stop = [inputId];
    await exited;
    await until(() => harness.control.heartbeats.at(-1)?.length === 0, 'the input is idle');
    await harness.relays[0]!.session.closed;
    expect(harness.engine.stats()).toMatchObject({ rtmpConnections: 0, live: [] });
  } finally {
    encoder.kill('SIGKILL');
  }
});
