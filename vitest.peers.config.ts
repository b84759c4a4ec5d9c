import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** `npm run test:peers`: what needs more than this machine. Results are written down, with their date, in docs/interop.md. */
export default defineConfig({
  test: {
    include: ['test/**/*.peers.test.ts'],
    reporters: ['default', new ClosingLine()],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
  },
});
