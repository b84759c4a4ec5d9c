import type { FanOutWriter, SendStream } from './transport.ts';

/**
 * Writes one payload to many streams. Streams of one native socket share a single call and the bytes; any other kind is
 * written one by one. Calls `refused` with the index of each stream that did not take the payload (see SendStream.write).
 */
export function writeToMany(streams: readonly SendStream[], bytes: Uint8Array, refused: (index: number) => void): void {
  const batches = new Map<FanOutWriter, { ids: number[]; indexes: number[] }>();
  for (let index = 0; index < streams.length; index++) {
    const stream = streams[index]!;
    const writer = stream.fanOut;
    if (writer === undefined) {
      if (!stream.write(bytes)) refused(index);
      continue;
    }
    let batch = batches.get(writer);
    if (batch === undefined) {
      batch = { ids: [], indexes: [] };
      batches.set(writer, batch);
    }
    batch.ids.push(stream.id);
    batch.indexes.push(index);
  }
  for (const [writer, { ids, indexes }] of batches) {
    const taken = writer.writeMany(ids, bytes);
    for (let i = 0; i < indexes.length; i++) if (taken[i] !== 1) refused(indexes[i]!);
  }
}
