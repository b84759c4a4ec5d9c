import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeFrame, encodeStreamHeader } from '../../src/codec/qmux/frames.ts';
import { defaultParameters } from '../../src/codec/qmux/parameters.ts';
import { QmuxError } from '../../src/codec/qmux/qmux-error.ts';
import { concat, fromHex } from '../../src/core/bytes.ts';
import { QmuxTransport } from '../../src/transport/qmux/qmux-transport.ts';
import type { QmuxSocket, QmuxSocketEvents } from '../../src/transport/qmux/socket.ts';
import { broken, plain, readOnly, written } from '../codec/qmux/wire.ts';
import { mutateWildly, random } from './random.ts';

const seeds = [...written, ...readOnly, ...broken].map(({ hex }) => fromHex(plain(hex)));

/** The other end of a WebSocket that only listens. */
class DeafSocket implements QmuxSocket {
  readonly bufferedBytes = 0;
  sentBytes = 0;
  isClosed = false;
  listen(_events: QmuxSocketEvents): void {}
  send(message: Uint8Array): void {
    this.sentBytes += message.length;
  }
  close(): void {
    this.isClosed = true;
  }
}

const greeting = encodeFrame({
  type: 'parameters',
  parameters: { ...defaultParameters, initialMaxData: 2 ** 30, initialMaxStreamDataBidiLocal: 2 ** 30 },
});

describe('QMux fuzz', () => {
  it('decodes anything or says which rule it breaks', () => {
    const next = random(1);
    let decoded = 0;
    for (let run = 0; run < 50_000; run++) {
      try {
        for (const frame of decodeRecord(mutateWildly(seeds, next))) if (frame.type !== 'blocked') decoded++;
      } catch (error) {
        expect(error).toBeInstanceOf(QmuxError);
      }
    }
    expect(decoded).toBeGreaterThan(5000);
  });

  it('never crashes, hangs or grows for what a peer sends', async () => {
    const next = random(2);
    const below = (limit: number) => Math.floor(next() * limit);
    let survived = 0;
    for (let run = 0; run < 400; run++) {
      const socket = new DeafSocket();
      const transport = new QmuxTransport(socket, {
        role: run % 2 === 0 ? 'server' : 'client',
        protocol: 'moqt-18',
        path: '',
        remoteAddress: '',
      });
      transport.message(greeting);
      const streams = [transport.openUni(), transport.openBidi().send];
      for (const stream of streams) stream.write(new Uint8Array(100));
      for (let step = 0; step < 60 && transport.closeInfo === undefined; step++) {
        const length = below(40);
        // Streams of the peer: RFC 9000 2.1.
        const id = () => below(10) * 4 + below(2) * 2 + (run % 2);
        const likely = concat([
          encodeStreamHeader(id(), 0, length, below(2) === 0),
          new Uint8Array(length),
          encodeFrame({ type: 'reset-stream', id: id(), code: below(9), finalSize: below(99) }),
        ]);
        transport.message(below(16) === 0 ? mutateWildly(seeds, next) : likely);
        void transport.acceptUni().then((stream) => stream?.stop(below(9)));
        void transport.acceptBidi().then((stream) => stream?.send.reset(below(9)));
        await Promise.resolve();
        survived++;
      }
      if (transport.closeInfo !== undefined) expect(transport.closeInfo.code).not.toBe(1);
      expect(socket.sentBytes).toBeLessThan(20_000);
      transport.close({ code: 0, reason: '' });
      expect(socket.isClosed).toBe(true);
      expect(streams.map((stream) => stream.queuedBytes)).toEqual([0, 0]);
    }
    expect(survived).toBeGreaterThan(2000);
  });
});
