import { concat, emptyBytes } from '../../../core/bytes.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader } from '../wire.ts';
import { checkMessageLength, decodeBody, type MessageCodec } from './message.ts';
import type { LiteVersion } from './version.ts';

/** The bytes of one stream, taken apart message by message; holds what came and was not asked for yet. */
export class StreamBuffer {
  readonly #version: LiteVersion;
  #bytes: Uint8Array = emptyBytes;

  constructor(version: LiteVersion) {
    this.#version = version;
  }

  get length(): number {
    return this.#bytes.length;
  }

  push(bytes: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : concat([this.#bytes, bytes]);
  }

  /** undefined: not all of it is here. Throws MoqtError above 2^53-1. */
  varint(): number | undefined {
    const at = this.#varintAt(0);
    if (at === undefined) return undefined;
    this.#bytes = this.#bytes.subarray(at.end);
    return at.value;
  }

  /** The next message, if all of it is here. Throws MoqtError. */
  message<T>(codec: MessageCodec<T>): T | undefined {
    const length = this.#varintAt(0);
    return length === undefined ? undefined : this.#body(codec, length);
  }

  /** The same, the message being told by an integer in front. `codecFor` throws for those that are not known. */
  typed<T>(codecFor: (type: number) => MessageCodec<T>): T | undefined {
    const type = this.#varintAt(0);
    if (type === undefined) return undefined;
    const codec = codecFor(type.value);
    const length = this.#varintAt(type.end);
    return length === undefined ? undefined : this.#body(codec, length);
  }

  /** Takes out what is left. */
  rest(): Uint8Array {
    const rest = this.#bytes;
    this.#bytes = emptyBytes;
    return rest;
  }

  #body<T>(codec: MessageCodec<T>, { value: length, end }: { value: number; end: number }): T | undefined {
    checkMessageLength(length);
    if (this.#bytes.length < end + length) return undefined;
    const value = decodeBody(codec, this.#bytes.subarray(end, end + length), this.#version);
    this.#bytes = this.#bytes.subarray(end + length);
    return value;
  }

  #varintAt(offset: number): { value: number; end: number } | undefined {
    const first = this.#bytes[offset];
    if (first === undefined || this.#bytes.length < offset + quicVarints.lengthOf(first)) return undefined;
    const reader = new WireReader(this.#bytes, quicVarints);
    reader.offset = offset;
    return { value: quicVarints.read(reader), end: reader.offset };
  }
}
