/** The first 16 bytes of every bench object: when it was sent (ms since the epoch, float) and its number. */
export function writeMark(payload: Uint8Array, sequence: number): void {
  const view = new DataView(payload.buffer, payload.byteOffset, 16);
  view.setFloat64(0, performance.timeOrigin + performance.now());
  view.setFloat64(8, sequence);
}

export function readMark(payload: Uint8Array): { sentAt: number; sequence: number } {
  const view = new DataView(payload.buffer, payload.byteOffset, 16);
  return { sentAt: view.getFloat64(0), sequence: view.getFloat64(8) };
}
