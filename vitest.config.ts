import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** How a test file runs is the last part of its name before `.test.ts`. `test/naming.test.ts` refuses any other part. */
const kinds = {
  /** Changes globals for good, or counts in modules that tests share: each file has a process of its own. */
  apart: 'test/**/*.apart.test.ts',
  /** Encoders that send at the speed of life: such a file waits more than it works, so that two at a time do not disturb each other. */
  live: 'test/**/*.live.test.ts',
  /** Browsers, encoders beside whole stacks, and rules of when something comes: one file at a time, so that none is starved by its neighbour. */
  browser: 'test/**/*.browser.test.ts',
  /** Needs what this machine does not have (other people's servers, other Nodes): `npm run test:peers`. */
  peers: 'test/**/*.peers.test.ts',
};

/** Tests that start processes: on a busy machine each start takes seconds. */
const wholeStackMs = 60_000;

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
          exclude: Object.values(kinds),
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'apart', include: [kinds.apart], isolate: true, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'live',
          include: [kinds.live],
          testTimeout: wholeStackMs,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [kinds.browser],
          testTimeout: wholeStackMs,
          globalSetup: 'test/browser/pages.ts',
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
