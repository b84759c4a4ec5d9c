import { describe, expect, it } from 'vitest';
import { ReceiveBuffer } from '../../../../src/engine/ingest/srt/receive-buffer.ts';
import { SenderClock } from '../../../../src/engine/ingest/srt/sender-clock.ts';

const first = 0x7fff_fffd;
const at = (step: number) => (first + step) % 2 ** 31;
const packet = (due: number) => ({ due, payload: Uint8Array.of(due), arrivedAt: 0 });

function takeAll(buffer: ReceiveBuffer, now: number, mayGiveUp = true): [due: number, givenUp: number][] {
  const out: [number, number][] = [];
  for (let taken = buffer.take(now, mayGiveUp); taken !== undefined; taken = buffer.take(now, mayGiveUp))
    out.push([taken.packet.due, taken.givenUp]);
  return out;
}

describe('ReceiveBuffer', () => {
  it('delivers in order, each at its time, over the wrap of sequence numbers', () => {
    const buffer = new ReceiveBuffer(first, 16);
    for (const step of [0, 1, 3, 2, 4, 5]) buffer.insert(at(step), packet(step * 10));
    expect(takeAll(buffer, 25)).toEqual([
      [0, 0],
      [10, 0],
      [20, 0],
    ]);
    expect(takeAll(buffer, 29)).toEqual([]);
    expect(takeAll(buffer, 50)).toEqual([
      [30, 0],
      [40, 0],
      [50, 0],
    ]);
    expect(buffer.acknowledged).toBe(at(6));
    expect(buffer.available).toBe(16);
  });

  it('knows what is missing, and forgets it when it comes', () => {
    const buffer = new ReceiveBuffer(first, 16);
    expect(buffer.insert(at(2), packet(20))).toEqual({ kind: 'taken', lost: { first: at(0), last: at(1) } });
    expect(buffer.insert(at(5), packet(50))).toEqual({ kind: 'taken', lost: { first: at(3), last: at(4) } });
    expect(buffer.missing).toEqual([
      { first: at(0), last: at(1) },
      { first: at(3), last: at(4) },
    ]);
    expect(buffer.acknowledged).toBe(at(0));
    buffer.insert(at(0), packet(0));
    expect(buffer.acknowledged).toBe(at(1));
    buffer.insert(at(1), packet(10));
    buffer.insert(at(4), packet(40));
    expect(buffer.missing).toEqual([{ first: at(3), last: at(3) }]);
    expect(buffer.insert(at(4), packet(40))).toEqual({ kind: 'duplicate' });
  });

  it('gives up what is missing when the next is due, unless it may not', () => {
    const buffer = new ReceiveBuffer(first, 16);
    buffer.insert(at(0), packet(0));
    buffer.insert(at(3), packet(30));
    expect(takeAll(buffer, 29)).toEqual([[0, 0]]);
    expect(takeAll(buffer, 100, false)).toEqual([]);
    expect(takeAll(buffer, 30)).toEqual([[30, 2]]);
    expect(buffer.missing).toEqual([]);
    expect(buffer.insert(at(1), packet(10))).toEqual({ kind: 'late' });
  });

  it('takes no more than its window', () => {
    const buffer = new ReceiveBuffer(first, 16);
    expect(buffer.insert(at(16), packet(0))).toEqual({ kind: 'beyond' });
    expect(buffer.insert(at(15), packet(0))).toMatchObject({ kind: 'taken' });
    expect(buffer.available).toBe(0);
  });

  it('does not wait for what the sender has dropped', () => {
    const buffer = new ReceiveBuffer(first, 16);
    buffer.insert(at(2), packet(20));
    buffer.giveUp(at(0), at(0));
    expect(buffer.missing).toEqual([{ first: at(1), last: at(1) }]);
    buffer.giveUp(at(1), at(6));
    expect(buffer.missing).toEqual([]);
    expect(buffer.acknowledged).toBe(at(7));
    expect(buffer.insert(at(7), packet(70))).toEqual({ kind: 'taken' });
    expect(takeAll(buffer, 70)).toEqual([
      [20, 2],
      [70, 4],
    ]);
  });
});

describe('SenderClock', () => {
  it('goes on over the wrap of 32 bits, also for packets out of order', () => {
    const clock = new SenderClock(2 ** 32 - 1000, 500);
    expect(clock.toLocal(2 ** 32 - 1000)).toBeCloseTo(500);
    expect(clock.toLocal(1000)).toBeCloseTo(502);
    expect(clock.toLocal(2 ** 32 - 500)).toBeCloseTo(500.5);
    expect(clock.toLocal(2000)).toBeCloseTo(503);
  });

  it('takes a drift out after a thousand samples', () => {
    const clock = new SenderClock(0, 0);
    for (let i = 1; i <= 1000; i++) clock.observe(i * 1000, i + 8);
    expect(clock.toLocal(1_001_000)).toBeCloseTo(1009);
  });
});
