import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { decodeAck } from '../../../../src/codec/srt/ack.ts';
import { encodeCapabilities, encodeText } from '../../../../src/codec/srt/extensions.ts';
import {
  decodeHandshake,
  encodeHandshake,
  type Handshake,
  handshakeType,
} from '../../../../src/codec/srt/handshake.ts';
import { decodeLossList } from '../../../../src/codec/srt/loss-list.ts';
import {
  type ControlPacket,
  controlType,
  decodePacket,
  encodeControl,
  encodeData,
} from '../../../../src/codec/srt/packet.ts';
import type { PublishGrant } from '../../../../src/contract/publish-grant.ts';
import { concat, fromHex } from '../../../../src/core/bytes.ts';
import { deferred } from '../../../../src/core/deferred.ts';
import { StreamsError } from '../../../../src/core/errors.ts';
import type { MediaUnit } from '../../../../src/core/media-unit.ts';
import { SrtListener, type SrtListenerOptions } from '../../../../src/engine/ingest/srt/listener.ts';
import { publishTarget } from '../../../../src/engine/ingest/srt/publish-target.ts';
import * as ts from '../../../codec/mpegts/build.ts';
import * as wire from '../../../codec/srt/wire.ts';
import { grant, inputId, until } from '../../harness.ts';

const streamId = `${inputId}:right`;
const request = (over: Partial<Parameters<typeof encodeCapabilities>[0]> = {}) => ({
  type: 1,
  content: encodeCapabilities({ version: 0x10501, flags: 0x3f, receiverDelay: 0, senderDelay: 0, ...over }),
});
const named = (text: string) => ({ type: 5, content: encodeText(text) });

async function serve(options: Partial<SrtListenerOptions> = {}) {
  const units: MediaUnit[] = [];
  const ends: boolean[] = [];
  const log: string[] = [];
  const asked: string[] = [];
  const take = (message: string, fields?: object) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const listener = await SrtListener.listen({
    host: '127.0.0.1',
    port: 0,
    authorise: async (asking) => {
      asked.push(asking.streamKey ?? '');
      if (asking.streamKey === 'other-kind') throw new StreamsError('CONFLICT', 'this input takes rtmp, not srt');
      if (asking.streamKey === 'away') throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer');
      if (asking.streamKey !== 'right') throw new StreamsError('UNAUTHORIZED', 'wrong stream key');
      return grant;
    },
    publish: () => ({ push: (unit) => units.push(unit), end: (clean) => ends.push(clean) }),
    logger: { debug() {}, info: take, warn: take, error: take },
    ...options,
  });
  return { listener, units, ends, log, asked, [Symbol.asyncDispose]: () => listener.close() };
}

/** A caller made by hand. */
async function call(port: number) {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const handshakes: Handshake[] = [];
  const controls: ControlPacket[] = [];
  const bytes = { received: 0 };
  socket.on('message', (datagram) => {
    bytes.received += datagram.length;
    const packet = decodePacket(datagram);
    if (packet.kind === 'data') return;
    if (packet.type === controlType.handshake) handshakes.push(decodeHandshake(Uint8Array.from(packet.body)));
    else controls.push(packet);
  });
  const base = wire.handshakes[0]!.value as Handshake;
  const caller = {
    socket,
    handshakes,
    controls,
    bytes,
    peer: 0,
    shake: (handshake: Partial<Handshake>) =>
      socket.send(
        encodeControl({
          type: 0,
          subtype: 0,
          info: 0,
          timestamp: 0,
          destination: 0,
          body: encodeHandshake({ ...base, ...handshake }),
        }),
      ),
    async answer(count: number): Promise<Handshake> {
      await until(() => handshakes.length >= count, 'an answer');
      return handshakes[count - 1]!;
    },
    /** Induction and conclusion; answers what came back. */
    async conclude(conclusion: Partial<Handshake>): Promise<Handshake> {
      const before = handshakes.length;
      caller.shake({});
      const { cookie } = await caller.answer(before + 1);
      caller.shake({ version: 5, type: handshakeType.conclusion, extension: 5, cookie, ...conclusion });
      const answer = await caller.answer(before + 2);
      caller.peer = answer.socketId;
      return answer;
    },
    control: (type: number, info = 0, body = new Uint8Array(0)) =>
      socket.send(encodeControl({ type, subtype: 0, info, timestamp: 0, destination: caller.peer, body })),
    data: (step: number, payload: Uint8Array, timestamp = 0) =>
      socket.send(
        encodeData({
          sequence: base.initialSequence + step,
          whole: true,
          key: 'none',
          retransmitted: false,
          messageNumber: step,
          timestamp,
          destination: caller.peer,
          payload,
        }),
      ),
    [Symbol.dispose]: () => socket.close(),
  };
  return caller;
}

describe('SRT listener', () => {
  it('answers an induction with a cookie, and no more bytes than it got', async () => {
    await using served = await serve();
    using caller = await call(served.listener.port);
    caller.shake({});
    const answer = await caller.answer(1);
    expect(answer).toMatchObject({ version: 5, extension: 0x4a17, type: handshakeType.induction, extensions: [] });
    expect(answer.cookie).not.toBe(0);
    expect(caller.bytes.received).toBe(64);
    expect(served.log).toEqual([]);
  });

  it('ignores a conclusion whose cookie is not its own', async () => {
    await using served = await serve();
    using caller = await call(served.listener.port);
    using other = await call(served.listener.port);
    caller.shake({});
    const { cookie } = await caller.answer(1);
    const conclusion = {
      version: 5,
      type: handshakeType.conclusion,
      extension: 5,
      extensions: [request(), named(streamId)],
    };
    caller.shake({ ...conclusion, cookie: cookie ^ 1 });
    other.shake({ ...conclusion, cookie });
    await until(() => served.log.filter((line) => line.includes('wrong cookie')).length === 2, 'two log lines');
    expect(served.asked).toEqual([]);
    expect([caller.handshakes.length, other.handshakes.length]).toEqual([1, 0]);
    expect(served.listener.connections).toBe(0);
  });

  it.each([
    ['a wrong key', [request(), named(`${inputId}:wrong`)], {}, 2401],
    ['an input of another kind', [request(), named(`${inputId}:other-kind`)], {}, 2409],
    ['a control plane that is away', [request(), named(`${inputId}:away`)], {}, 2503],
    ['no stream id', [request()], {}, 2400],
    ['no key', [request(), named(inputId)], {}, 2401],
    ['a viewer', [request(), named(`#!::r=${inputId},s=right,m=request`)], {}, 2405],
    ['no SRT extension', [named(streamId)], {}, 1004],
    ['an old version', [request({ version: 0x10203 }), named(streamId)], {}, 1008],
    ['handshake version 4', [], { version: 4 }, 1008],
    ['buffer mode', [request({ flags: 0x7f }), named(streamId)], {}, 1012],
    ['file mode', [request(), named(streamId), { type: 6, content: encodeText('file') }], {}, 1013],
    ['a packet filter', [request(), named(streamId), { type: 7, content: encodeText('fec') }], {}, 1014],
    ['a group', [request(), named(streamId), { type: 8, content: new Uint8Array(8) }], {}, 1015],
    ['encryption without keys', [request(), named(streamId)], { encryption: 2 }, 1011],
    [
      'keys of another passphrase',
      [request(), named(streamId), { type: 3, content: fromHex(wire.keyMaterials[0]!.bytes) }],
      { encryption: 2 },
      1010,
    ],
    [
      'keys of another passphrase, and no stream key',
      [request(), named(inputId), { type: 3, content: fromHex(wire.keyMaterials[0]!.bytes) }],
      { encryption: 2 },
      1010,
    ],
    ['damaged keys and no stream key', [request(), named(inputId), { type: 3, content: new Uint8Array(16) }], {}, 1004],
    ['damaged keys', [request(), named(streamId), { type: 3, content: new Uint8Array(16) }], { encryption: 2 }, 1004],
    ['a stream id too long', [request(), { type: 5, content: new Uint8Array(516) }], {}, 1004],
  ])('turns away %s', async (_name, extensions, over, type) => {
    await using served = await serve();
    using caller = await call(served.listener.port);
    expect((await caller.conclude({ extensions, ...over })).type).toBe(type);
    expect(served.units).toEqual([]);
    expect(served.listener.connections).toBe(0);
    expect(served.log.filter((line) => line.startsWith('SRT caller refused'))).toHaveLength(1);
    expect(served.log.join()).not.toMatch(/wrong"|other-kind|right/);
  });

  it('repeats its answer to a conclusion that comes again, and asks once', async () => {
    await using served = await serve();
    using caller = await call(served.listener.port);
    const first = await caller.conclude({ extensions: [request({ senderDelay: 300 }), named(streamId)] });
    expect(first.type).toBe(handshakeType.conclusion);
    expect(first.extensions[0]).toEqual({
      type: 2,
      content: encodeCapabilities({ version: 0x10501, flags: 0x3f, receiverDelay: 300, senderDelay: 0 }),
    });
    const { cookie } = caller.handshakes[0]!;
    caller.shake({
      version: 5,
      type: handshakeType.conclusion,
      extension: 5,
      cookie,
      extensions: [request({ senderDelay: 300 }), named(streamId)],
    });
    expect(await caller.answer(3)).toEqual(first);
    expect(served.asked).toEqual(['right']);
    expect(served.listener.connections).toBe(1);
  });

  it('asks for what is missing at once, acknowledges, and delivers in order after the latency', async () => {
    await using served = await serve({ latencyMs: 100 });
    using caller = await call(served.listener.port);
    await caller.conclude({ extensions: [request(), named(streamId)] });
    const map = ts.programMap([[0x1b, ts.videoPid]]);
    const picture = (i: number) =>
      ts.packets(ts.videoPid, ts.pes(0xe0, i * 3600, undefined, ts.annexB(ts.sps, ts.pps, fromHex('6588')), true), i);
    caller.data(0, concat([ts.association, map]));
    caller.data(2, concat(picture(1)));
    caller.data(3, concat(picture(2)));
    await until(() => caller.controls.some(({ type }) => type === controlType.nak), 'a NAK');
    const nak = caller.controls.find(({ type }) => type === controlType.nak)!;
    const missing = (wire.handshakes[0]!.value as Handshake).initialSequence + 1;
    expect(decodeLossList(nak.body)).toEqual([{ first: missing, last: missing }]);
    caller.data(1, concat(picture(0)));
    const acknowledged = () =>
      caller.controls.filter(({ type }) => type === controlType.ack).map(({ body }) => decodeAck(body).next);
    await until(() => acknowledged().includes(missing + 3), 'an ACK of all');
    caller.control(controlType.shutdown);
    await until(() => served.ends.length === 1, 'the end');
    expect(served.ends).toEqual([true]);
    expect(served.units.map((unit) => unit.pts)).toEqual([0, 3600, 7200]);
    expect(served.units.map((unit) => unit.config)).toEqual([ts.avcConfig, undefined, undefined]);
  });

  it('takes packets of a connection from its own address only', async () => {
    await using served = await serve();
    using caller = await call(served.listener.port);
    using stranger = await call(served.listener.port);
    await caller.conclude({ extensions: [request(), named(streamId)] });
    stranger.peer = caller.peer;
    stranger.control(controlType.shutdown);
    await until(() => served.log.some((line) => line.includes('another address')), 'a log line');
    expect(served.listener.connections).toBe(1);
    caller.control(controlType.shutdown);
    await until(() => served.listener.connections === 0, 'its own goodbye');
  });

  it('bounds the connections of one address', async () => {
    await using served = await serve({ maxPerAddress: 1 });
    using first = await call(served.listener.port);
    using second = await call(served.listener.port);
    const extensions = [request(), named(streamId)];
    expect((await first.conclude({ extensions })).type).toBe(handshakeType.conclusion);
    expect((await second.conclude({ extensions })).type).toBe(1003);
  });

  it('bounds the callers of one address that it decides on and remembers', async () => {
    await using served = await serve({ maxPerAddress: 1 });
    using caller = await call(served.listener.port);
    const first = await caller.conclude({ extensions: [request(), named(`${inputId}:wrong`)] });
    expect(first.type).toBe(2401);
    const { cookie } = caller.handshakes[0]!;
    for (let socketId = 1000; socketId < 1100; socketId++)
      caller.shake({
        version: 5,
        type: handshakeType.conclusion,
        extension: 5,
        cookie,
        socketId,
        extensions: [request(), named(`${inputId}:wrong`)],
      });
    await until(() => served.log.some((line) => line.includes('too many SRT callers')), 'a log line');
    expect(served.asked.length).toBeLessThanOrEqual(65);
  });

  it('ends a caller that falls silent, and keeps in touch until then', async () => {
    await using served = await serve({ idleMs: 1500 });
    using caller = await call(served.listener.port);
    await caller.conclude({ extensions: [request(), named(streamId)] });
    await until(() => served.ends.length === 1, 'the end');
    expect(served.ends).toEqual([false]);
    const types = caller.controls.map(({ type }) => type);
    expect(types).toContain(controlType.keepAlive);
    await until(() => caller.controls.some(({ type }) => type === controlType.shutdown), 'a goodbye');
  });

  it('closes what is no MPEG-TS with one line', async () => {
    await using served = await serve({ latencyMs: 0 });
    using caller = await call(served.listener.port);
    await caller.conclude({ extensions: [request(), named(streamId)] });
    for (let i = 0; i < 60; i++) caller.data(i, new Uint8Array(1316).fill(1));
    await until(() => served.ends.length === 1, 'the end');
    expect(served.ends).toEqual([false]);
    expect(served.log.filter((line) => line.includes('not MPEG-TS'))).toHaveLength(1);
  });

  it.each(['granted', 'refused'])('closes while a caller waits for a word that comes later: %s', async (word) => {
    const asked = deferred<PublishGrant>();
    let asking = false;
    await using served = await serve({
      authorise: () => {
        asking = true;
        return asked.promise;
      },
    });
    using caller = await call(served.listener.port);
    caller.shake({});
    const { cookie } = await caller.answer(1);
    const extensions = [request(), named(streamId)];
    caller.shake({ version: 5, type: handshakeType.conclusion, extension: 5, cookie, extensions });
    await until(() => asking, 'the question');
    await served.listener.close();
    if (word === 'granted') asked.resolve(grant);
    else asked.reject(new StreamsError('UNAUTHORIZED', 'wrong stream key'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(served.ends).toEqual([]);
    expect(served.log).toEqual([]);
  });

  it('says goodbye when the engine goes', async () => {
    const served = await serve();
    using caller = await call(served.listener.port);
    await caller.conclude({ extensions: [request(), named(streamId)] });
    await served.listener.close();
    await until(() => caller.controls.some(({ type }) => type === controlType.shutdown), 'a goodbye');
    expect(served.ends).toEqual([true]);
  });
});

describe('SRT stream ids', () => {
  it.each([
    [`${inputId}:key`],
    [`${inputId}?sk=key`],
    [`/${inputId}?sk=key`],
    [`#!::r=${inputId},s=key,m=publish`],
    [`#!::r=${inputId},u=key`],
    [`#!::m=publish,t=stream,u=me,s=key,r=${inputId}`],
  ])('%s', (text) => {
    expect(publishTarget(text)).toEqual({ inputId, streamKey: 'key' });
  });

  it.each([[inputId], [`${inputId}:`], [`#!::r=${inputId}`], [`#!::r=${inputId},m=publish`]])(
    '%s, opened by a passphrase',
    (text) => {
      expect(publishTarget(text)).toEqual({ inputId, streamKey: undefined });
    },
  );

  it.each([
    ['', 'INVALID_ARGUMENT'],
    ['../etc:key', 'INVALID_ARGUMENT'],
    ['#!:{r=x}', 'INVALID_ARGUMENT'],
    [`#!::r=${inputId},s=key,m=bidirectional`, 'UNSUPPORTED'],
    [`#!::r=${inputId},s=key,t=file`, 'UNSUPPORTED'],
  ])('refuses "%s"', (text, code) => {
    expect(() => publishTarget(text)).toThrow(expect.objectContaining({ code }));
  });
});
