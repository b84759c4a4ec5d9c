import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deadlineSignal } from '../../src/core/deadline.ts';

const aborted = (signal: AbortSignal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

describe('deadlineSignal', () => {
  it('aborts after its time with a TimeoutError', async () => {
    expect(await aborted(deadlineSignal(5))).toMatchObject({ name: 'TimeoutError' });
  });

  it('aborts with the signal it follows, and keeps that reason', async () => {
    const other = new AbortController();
    const signal = deadlineSignal(60_000, other.signal);
    const reason = aborted(signal);
    other.abort('enough');
    expect(await reason).toBe('enough');
    expect(deadlineSignal(60_000, other.signal).reason).toBe('enough');
  });

  it('fires although the garbage collector came by', () => {
    const source = `
      import { deadlineSignal } from ${JSON.stringify(fileURLToPath(new URL('../../dist/src/core/deadline.js', import.meta.url)))};
      let fired = 0;
      for (let i = 0; i < 50; i++) deadlineSignal(100, new AbortController().signal).addEventListener('abort', () => fired++);
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
