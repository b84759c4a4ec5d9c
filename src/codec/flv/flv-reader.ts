import { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';

/** A tag of an FLV file (FLV 10.1 E.4.1); bodies are those of RTMP messages. */
export type FlvTag = {
  readonly type: 'audio' | 'video' | 'data';
  /** Milliseconds, 32 bits, wraps. */
  readonly timestamp: number;
  readonly body: Uint8Array;
};

const types = new Map<number, FlvTag['type']>([
  [8, 'audio'],
  [9, 'video'],
  [18, 'data'],
]);

/** Bytes of an FLV file or pipe to tags. Resumable. Throws MALFORMED; unusable afterwards. Tags are at most 16 MiB by format. */
export class FlvReader {
  readonly #waiting = new GatheredBytes();
  #wanted = 9;
  #started = false;

  push(bytes: Uint8Array): FlvTag[] {
    const tags: FlvTag[] = [];
    this.#waiting.push(bytes);
    if (this.#waiting.length < this.#wanted) return tags;
    let rest = this.#waiting.take();
    if (!this.#started) {
      const reader = new ByteReader(rest);
      if (reader.u24() !== 0x464c56) throw new StreamsError('MALFORMED', 'not an FLV file');
      reader.u16();
      // The header, and the size of the tag before the first.
      const start = reader.u32() + 4;
      if (start < 13 || start > 1024) throw new StreamsError('MALFORMED', 'FLV header');
      this.#wanted = start;
      if (rest.length >= start) {
        this.#started = true;
        rest = rest.subarray(start);
      }
    }
    while (this.#started) {
      this.#wanted = 11;
      if (rest.length < 11) break;
      const reader = new ByteReader(rest);
      const kind = reader.u8();
      const size = reader.u24();
      this.#wanted = 11 + size + 4;
      if (rest.length < this.#wanted) break;
      const timestamp = (reader.u24() | (reader.u8() << 24)) >>> 0;
      reader.u24();
      const body = reader.take(size);
      if (reader.u32() !== size + 11) throw new StreamsError('MALFORMED', 'FLV tag sizes disagree');
      const type = types.get(kind & 0x1f);
      if (type !== undefined) tags.push({ type, timestamp, body: body.slice() });
      rest = rest.subarray(reader.offset);
    }
    this.#waiting.push(rest.slice());
    return tags;
  }
}
