import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** Encoders, browsers and whole stacks in real time: one file at a time, so that none is starved by its neighbour. */
const realTime = [
  'test/e2e/**/*.test.ts',
  'test/browser/**/*.test.ts',
  'test/serve/**/*.test.ts',
  'test/engine/*-to-moqt.test.ts',
  'test/engine/transcode/renditions-*.test.ts',
  'test/engine/hls/live.test.ts',
  'test/engine/vod/{processing,recording}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', new ClosingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: realTime,
          // Two cores: more workers only steal time from the processes that tests start.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'real time', include: realTime, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
