import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { decodeHandshake, encodeHandshake, type Handshake, handshakeType } from '../../src/codec/srt/handshake.ts';
import { controlType, decodePacket, encodeControl } from '../../src/codec/srt/packet.ts';
import { newId } from '../../src/core/ids.ts';
import { demoFile, run, until } from './harness.ts';
import { type MoqtStack, startMoqtStack } from './moqt-stack.ts';

const source = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', demoFile, '-c', 'copy', '-f', 'mpegts'];

type Urls = { srt: string; srtPassphrase: string };

/** What a rotation prints, now that the engine listens. */
async function rotate({ control, inputId, engine }: MoqtStack, overlapSeconds = 0): Promise<Urls> {
  control.control.setEndpoints({ engineUrl: engine.httpUrl, srtUrl: `srt://127.0.0.1:${engine.srtPort}` });
  const path = `/v1/live-inputs/${inputId}/rotate-stream-key`;
  return (await control.call('POST', path, { body: { overlapSeconds } })).body.urls;
}

function encode(target: string) {
  const child = spawn('ffmpeg', [...source, target], { stdio: 'ignore' });
  const gone = once(child, 'close');
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  return { gone, [Symbol.asyncDispose]: stop };
}

function handshakeIn(datagram: Uint8Array): Handshake | undefined {
  const packet = decodePacket(datagram);
  if (packet.kind === 'data' || packet.type !== controlType.handshake) return undefined;
  return decodeHandshake(Uint8Array.from(packet.body));
}

function datagramOf(handshake: Handshake): Uint8Array {
  const body = encodeHandshake(handshake);
  return encodeControl({ type: controlType.handshake, subtype: 0, info: 0, timestamp: 0, destination: 0, body });
}

/** A line of one caller on which somebody listens. */
async function tap(serverPort: number) {
  const [front, back] = [createSocket('udp4'), createSocket('udp4')];
  const handshakes: Handshake[] = [];
  let callerPort = 0;
  front.on('message', (datagram, { port }) => {
    callerPort = port;
    const handshake = handshakeIn(datagram);
    if (handshake !== undefined) handshakes.push(handshake);
    back.send(datagram, serverPort, '127.0.0.1');
  });
  back.on('message', (datagram) => front.send(datagram, callerPort, '127.0.0.1'));
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  const close = async () => {
    front.close();
    back.close();
  };
  return { port: front.address().port, handshakes, [Symbol.asyncDispose]: close };
}

/** What a caller says that is turned away. */
async function refused(url: string): Promise<string> {
  const { stdout, stderr } = await run('sh', ['-c', `echo | srt-live-transmit -a:no -t:10 file://con '${url}'`]);
  return stdout + stderr;
}

const connected = (stack: MoqtStack) => stack.log.filter((line) => line.message === 'publisher connected');
const reasons = (stack: MoqtStack) =>
  stack.log.filter((line) => line.message === 'SRT caller refused').map((line) => line.fields?.rejection);

// Each has a stack of its own and waits for its callers most of the time.
describe.concurrent('an SRT input, its id and its passphrase', () => {
  it('is published from the URL as printed, and cut when it is disabled', { timeout: 40_000 }, async () => {
    await using stack = await startMoqtStack({ ingest: 'srt' });
    const { srt, srtPassphrase } = await rotate(stack);
    await using encoder = encode(srt);
    await until(() => stack.engine.stats().live[0]?.relayConnected === true, 'published to the relay', 15_000);
    expect(connected(stack)).toMatchObject([{ fields: { ingest: 'srt', encrypted: true } }]);
    let objects = 0;
    await stack.viewer({ onObject: () => objects++ });
    await until(() => objects > 20, 'media at a viewer', 10_000);
    await stack.control.call('POST', `/v1/live-inputs/${stack.inputId}/disable`);
    await encoder.gone;
    await until(() => stack.engine.stats().live.length === 0, 'off the air');
    expect(await refused(srt)).toMatch(/REJECT/);
    expect(reasons(stack)).toEqual([1403]);
    const logs = JSON.stringify([stack.log, stack.control.log.lines]);
    expect(logs).not.toContain(srtPassphrase);
    expect(logs).not.toContain('sk_live');
  });

  it('refuses a wrong passphrase, an unknown input and the unencrypted, and says why', {
    timeout: 60_000,
  }, async () => {
    await using stack = await startMoqtStack({ ingest: 'srt' });
    const { srt, srtPassphrase } = await rotate(stack);
    const wrong = await refused(srt.replace(srtPassphrase, 'some-other-passphrase'));
    const unknown = await refused(srt.replace(stack.inputId, newId('lv')));
    for (const said of [wrong, unknown]) expect(said).toMatch(/Incorrect passphrase/);
    expect(await refused(srt.slice(0, srt.indexOf('&')))).not.toMatch(/Incorrect passphrase/);
    expect(reasons(stack)).toEqual([10, 10, 1401]);
    expect(stack.engine.stats()).toMatchObject({ live: [], srtConnections: 0 });
  });

  it('goes by the standard form too, and by the old passphrase in its overlap', { timeout: 60_000 }, async () => {
    await using stack = await startMoqtStack({ ingest: 'srt' });
    const old = await rotate(stack);
    const { srtPassphrase } = await rotate(stack, 60);
    const url = (passphrase: string) =>
      `srt://127.0.0.1:${stack.engine.srtPort}?streamid=#!::r=${stack.inputId},m=publish&passphrase=${passphrase}&pbkeylen=16`;
    {
      await using _encoder = encode(url(old.srtPassphrase));
      await until(() => connected(stack).length === 1, 'the old one opens', 15_000);
    }
    await using encoder = encode(url(srtPassphrase));
    await until(() => connected(stack).length === 2, 'the new one opens', 15_000);
    await rotate(stack);
    expect(await refused(old.srt)).toMatch(/Incorrect passphrase/);
    // Who is on air stays, as with other keys.
    expect(stack.engine.stats().live).toMatchObject([{ publisher: 'srt' }]);
    await encoder[Symbol.asyncDispose]();
  });

  it('is not opened by a handshake that was recorded', { timeout: 40_000 }, async () => {
    await using stack = await startMoqtStack({ ingest: 'srt' });
    const { srt } = await rotate(stack);
    const { srtPort } = stack.engine;
    await using line = await tap(srtPort);
    await using _encoder = encode(srt.replace(`:${srtPort}?`, `:${line.port}?`));
    await until(() => connected(stack).length === 1, 'the encoder is on air', 15_000);
    const [induction] = line.handshakes.filter(({ type }) => type === handshakeType.induction);
    const [conclusion] = line.handshakes.filter(({ type }) => type === handshakeType.conclusion);
    const answers: Handshake[] = [];
    const socket = createSocket('udp4');
    try {
      socket.on('message', (datagram) => {
        const handshake = handshakeIn(datagram);
        if (handshake !== undefined) answers.push(handshake);
      });
      const send = (handshake: Handshake) => socket.send(datagramOf(handshake), srtPort, '127.0.0.1');
      send(induction!);
      await until(() => answers.length === 1, 'a cookie');
      send({ ...conclusion!, cookie: answers[0]!.cookie });
      await until(() => answers.length === 2, 'an answer');
      expect(answers[1]!.type).toBe(1010);
      expect(stack.log.find(({ message }) => message === 'SRT caller refused')?.fields?.reason).toContain('of before');
      expect(stack.engine.stats()).toMatchObject({ srtConnections: 1, live: [{ publisher: 'srt' }] });
    } finally {
      socket.close();
    }
  });
});
