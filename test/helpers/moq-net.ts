import { WebSocket } from 'ws';

/** What `@moq/net` takes for granted and Node 20 has not. To be imported before it. */
const promises = Promise as unknown as Record<string, unknown>;
promises.withResolvers ??= function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
};

const sets = Set.prototype as unknown as Record<string, unknown>;
sets.difference ??= function difference<T>(this: Set<T>, other: Set<T>): Set<T> {
  return new Set([...this].filter((each) => !other.has(each)));
};

(globalThis as Record<string, unknown>).WebSocket ??= WebSocket;

/** Its log is of no interest. */
for (const level of ['debug', 'info', 'warn'] as const) console[level] = () => {};

export const { Broadcast, Connection, Path, Time, Track } = await import('@moq/net');
