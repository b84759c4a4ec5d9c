import { setFlagsFromString } from 'node:v8';

/**
 * What a relay makes for each object lives for a moment. V8 would let the place for such things grow to 32 MiB and more of
 * memory that says nothing; 4 MiB a half cost no measurable CPU (docs/benchmarks.md).
 */
export const relayNodeOptions = ['--max-semi-space-size=4'];

/** glibc gives each thread heaps of its own, and what a connection leaves in one is of no use to another. Two cost no measurable CPU. */
export const relayEnv = { MALLOC_ARENA_MAX: '2' };

/** The same, nearly, for a process that runs already: the young generation stays as large as it is. */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
