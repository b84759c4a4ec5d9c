import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers only steal time from the processes the e2e tests start.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
