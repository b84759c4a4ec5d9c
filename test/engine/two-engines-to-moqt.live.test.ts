import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { ViewerObject } from '../../src/sdk/index.ts';
import { demoFile, until } from './harness.ts';
import { fragmentedDemo, startMoqtStack } from './moqt-stack.ts';

it.concurrent('an encoder that comes to another engine takes its input along, and viewers carry on', {
  timeout: 60_000,
}, async () => {
  await using stack = await startMoqtStack({ ingest: 'rtmp' });
  const second = await stack.secondEngine();
  const encoders: ChildProcess[] = [];
  const push = (engine: Engine) => {
    const url = `rtmp://127.0.0.1:${engine.rtmpPort}/live/${stack.inputId}?sk=${stack.streamKey}`;
    const args = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', demoFile, '-c', 'copy', '-f', 'flv'];
    const encoder = spawn('ffmpeg', [...args, url], { stdio: 'ignore' });
    encoders.push(encoder);
    return once(encoder, 'exit');
  };
  try {
    const objects: ViewerObject[] = [];
    const states: string[] = [];
    const viewer = await stack.viewer({
      onObject: (object) => objects.push(object),
      onState: ({ name }) => states.push(name),
    });
    const first = push(stack.engine);
    await until(() => objects.length > 30, 'media of the first', 10_000);
    push(second);
    await first; // its encoder was let go
    expect(second.stats().live).toMatchObject([{ inputId: stack.inputId, publisher: 'rtmp' }]);
    expect(stack.engine.stats()).toMatchObject({ live: [], rtmpConnections: 0 });
    const before = objects.length;
    await until(() => objects.length > before + 60, 'media of the second', 10_000);
    expect(viewer.state.name).toBe('playing');
    const ids = objects.map(({ track, groupId, objectId }) => `${track} ${groupId} ${objectId}`);
    expect(new Set(ids).size).toBe(ids.length);
    const { body } = await stack.control.call('GET', `/v1/live-inputs/${stack.inputId}/status`);
    expect(body).toMatchObject({ status: 'live' });
  } finally {
    for (const encoder of encoders) encoder.kill('SIGKILL');
  }
});

it.concurrent('one of two engines takes a MoQT publisher, the other its next one when the first is stopped', {
  timeout: 60_000,
}, async () => {
  await using stack = await startMoqtStack();
  const second = await stack.secondEngine();
  const objects: ViewerObject[] = [];
  await stack.viewer({ onObject: (object) => objects.push(object) });
  const publisher = stack.publisher({ realtime: true });
  const writing = publisher.write(fragmentedDemo('frag_every_frame', '-stream_loop', '10')).catch(() => undefined);
  const onAir = () => [stack.engine, second].filter((engine) => engine.stats().live.length > 0);
  await until(() => objects.length > 30, 'media', 10_000);
  await until(() => stack.log.some(({ message }) => message === 'a MoQT publisher waits'), 'the other waits');
  const [holder] = onAir();
  expect(onAir()).toHaveLength(1);
  await holder!.close();
  const before = objects.length;
  await until(() => objects.length > before + 60, 'media of the other', 10_000);
  expect(onAir()).toHaveLength(1);
  expect(onAir()[0]).not.toBe(holder);
  const ids = objects.map(({ track, groupId, objectId }) => `${track} ${groupId} ${objectId}`);
  expect(new Set(ids).size).toBe(ids.length);
  await publisher.close();
  await writing;
});
