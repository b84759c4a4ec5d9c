import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startDeadline, withDeadline } from '../../src/core/deadline.ts';

const aborted = (signal: AbortSignal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

describe('startDeadline', () => {
  it('aborts after its time with a TimeoutError', async () => {
    expect(await aborted(startDeadline(5).signal)).toMatchObject({ name: 'TimeoutError' });
  });

  it('aborts with the signal it follows, and keeps that reason', async () => {
    const other = new AbortController();
    const reason = aborted(startDeadline(60_000, other.signal).signal);
    other.abort('enough');
    expect(await reason).toBe('enough');
    expect(startDeadline(60_000, other.signal).signal.reason).toBe('enough');
  });

  it('listens no more once the time is up', async () => {
    const other = new AbortController();
    await aborted(startDeadline(5, other.signal).signal);
    expect(getEventListeners(other.signal, 'abort')).toEqual([]);
  });

  it('fires although the garbage collector came by', () => {
    const source = `
      import { startDeadline, withDeadline } from ${JSON.stringify(fileURLToPath(new URL('../../dist/src/core/deadline.js', import.meta.url)))};
      let fired = 0;
      for (let i = 0; i < 50; i++) startDeadline(100, new AbortController().signal).signal.addEventListener('abort', () => fired++);
      for (let i = 0; i < 5; i++) { await new Promise((resolve) => setTimeout(resolve, 10)); globalThis.gc(); }
      await new Promise((resolve) => setTimeout(resolve, 400));
      process.stdout.write(String(fired));
    `;
    const out = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source], {
      encoding: 'utf8',
    });
    expect(out).toBe('50');
  });
});

describe('withDeadline', () => {
  it('aborts the work when its time is up', async () => {
    await expect(withDeadline(5, undefined, aborted)).resolves.toMatchObject({ name: 'TimeoutError' });
  });

  it('listens to its caller for as long as the work lasts, however it ends', async () => {
    const { signal } = new AbortController();
    const counts = () => Promise.resolve(getEventListeners(signal, 'abort').length);
    for (let i = 0; i < 3; i++) expect(await withDeadline(60_000, signal, counts)).toBe(1);
    await expect(withDeadline(60_000, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await counts()).toBe(0);
  });
});
