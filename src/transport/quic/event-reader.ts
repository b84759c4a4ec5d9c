import { StreamsError } from '../../core/errors.ts';

/** What happened, as native/src/events.rs numbers it. */
export const eventKind = {
  accepted: 1,
  connected: 2,
  connectFailed: 3,
  closed: 4,
  uni: 5,
  bidi: 6,
  data: 7,
  fin: 8,
  reset: 9,
  writable: 10,
  stopped: 11,
  sendDone: 12,
  datagram: 13,
  endpointClosed: 14,
} as const;

const headerBytes = 24;

/** Calls `handle` for each record of a batch; the payload may be a view of the batch. */
export function readEvents(
  batch: Uint8Array,
  handle: (kind: number, a: number, b: number, payload: Uint8Array) => void,
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  let offset = 0;
  while (offset < batch.length) {
    if (batch.length - offset < headerBytes) throw new StreamsError('INTERNAL', 'torn event from the QUIC socket');
    const length = view.getUint32(offset + 4, true);
    const start = offset + headerBytes;
    const end = start + length;
    // A small view would keep the whole batch in memory for as long as a reader holds it.
    const payload = length * 4 < batch.length ? batch.slice(start, end) : batch.subarray(start, end);
    handle(batch[offset]!, view.getFloat64(offset + 8, true), view.getFloat64(offset + 16, true), payload);
    offset = end;
  }
}
