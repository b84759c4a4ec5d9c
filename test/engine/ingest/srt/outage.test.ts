import { describe, expect, it } from 'vitest';
import { SrtConnection } from '../../../../src/engine/ingest/srt/connection.ts';

const first = 0x7fff_ff00;
const at = (step: number) => (first + step) % 2 ** 31;

function start() {
  const delivered: number[] = [];
  const gaps: number[] = [];
  const connection = new SrtConnection({
    peerSocketId: 1,
    initialSequence: first,
    latencyMs: 100,
    began: { timestamp: 0, now: 0 },
    decryption: undefined,
    idleMs: 10_000,
    send: () => {},
    deliver: (payload) => delivered.push(new DataView(payload.buffer).getUint32(0)),
    gap: (packets) => gaps.push(packets),
    ended: () => {},
  });
  const send = (step: number, now: number) => {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, step);
    const rest = { order: false, key: 'none', retransmitted: false, messageNumber: 1, boundary: 3, destination: 1 };
    const packet = {
      kind: 'data',
      sequence: at(step),
      timestamp: now * 1000,
      payload,
      header: new Uint8Array(16),
      ...rest,
    };
    connection.receive(packet as never, now, now);
  };
  return { connection, delivered, gaps, send };
}

describe('an outage of SRT', () => {
  it.each([8193, 20_000, 200_000])(
    'of %i packets, more than the window holds: it begins anew, with a gap',
    (outage) => {
      const { connection, delivered, gaps, send } = start();
      for (let step = 0; step < 10; step++) send(step, step);
      for (let step = 0; step < 50; step++) send(10 + outage + step, 5000 + step);
      connection.tick(6000, true);
      expect(delivered.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      // The first of them alone could have been a stray one.
      expect(delivered.slice(10)).toEqual(Array.from({ length: 49 }, (_, i) => 11 + outage + i));
      expect(gaps).toEqual([outage + 1]);
      expect(connection.stats).toMatchObject({ packets: 59, lost: outage + 1 });
      send(10 + outage + 50, 6001);
      connection.tick(7000, true);
      expect(delivered.at(-1)).toBe(10 + outage + 50);
    },
  );

  it('is not what one stray packet makes', () => {
    const { connection, delivered, gaps, send } = start();
    for (let step = 0; step < 100; step++) {
      send(step, step);
      if (step % 10 === 0) send(20_000 + step * 1000, step);
    }
    connection.tick(1000, true);
    expect(delivered).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(gaps).toEqual([]);
  });
});
