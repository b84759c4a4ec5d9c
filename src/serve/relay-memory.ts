import { setFlagsFromString } from 'node:v8';

/**
 * When a relay has become quieter, V8 collects all it has, to give memory back: once is enough. Three times, its way, were a third of
 * the CPU of the minute after 50 viewers had come.
 */
const oneCollection = '--memory-reducer-single-gc';

/**
 * What a relay makes for each object lives for a moment. V8 would let the place for such things grow to 32 MiB and more of
 * memory that says nothing; 2 MiB a half cost no measurable CPU (docs/benchmarks.md).
 */
export const relayNodeOptions = ['--max-semi-space-size=2', oneCollection];

/** glibc gives each thread heaps of its own, and what a connection leaves in one is of no use to another. Two cost no measurable CPU. */
export const relayEnv = { MALLOC_ARENA_MAX: '2' };

/** The same, nearly, for a process that runs already: the young generation stays as large as it is. */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString(oneCollection);
}
