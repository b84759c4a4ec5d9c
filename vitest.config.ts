import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** What change globals for good, or count in modules that they share: each in a process of its own. */
const apart = ['test/conformance/moq-net*.test.ts', 'test/fuzz/**/*.test.ts'];

/** Encoders that send at the speed of life: they wait more than they work, so that two files at a time do not disturb each other. */
const realTime = [
  'test/engine/*-to-moqt.test.ts',
  'test/engine/transcode/renditions-*.test.ts',
  'test/engine/vod/{processing,recording}.test.ts',
  'test/e2e/{cluster,cluster-hosts,docs-relay,publish,remote-client,scale-out}.test.ts',
  'test/serve/{postgres,serve}.test.ts',
];

/** Browsers, encoders beside whole stacks, and rules of when something comes: one file at a time, so that none is starved by its neighbour. */
const alone = [
  'test/browser/**/*.test.ts',
  'test/e2e/{docs,live,upload}.test.ts',
  'test/engine/hls/live.test.ts',
  'test/engine/whip-to-moqt.test.ts',
  'test/engine/transcode/renditions-of-whip.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', new ClosingLine()],
    // To load a room takes longer than most of its tests: the files that a worker runs share what is loaded.
    isolate: false,
    // Two cores: more workers only steal time from the processes that tests start.
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: [...apart, ...realTime, ...alone],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'apart', include: apart, isolate: true, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'real time', include: realTime, exclude: alone, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          globalSetup: 'test/browser/pages.ts',
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
