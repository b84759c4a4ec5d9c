import type { SendStream } from '../transport/transport.ts';

/** Stands in for a stream that is not worth opening: its subscription is over. Refuses every write. */
export const deadStream: SendStream = {
  id: -1,
  queuedBytes: 0,
  stopped: Promise.resolve(null),
  onEnd: (listener) => queueMicrotask(() => listener.streamEnded(null)),
  write: () => false,
  writable: () => Promise.resolve(),
  finish() {},
  reset() {},
  setPriority() {},
};
