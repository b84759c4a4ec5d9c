import type { WireReader, WireWriter } from '../wire.ts';

/** Bytes of one message's payload, without type and length. `decode` must use the reader up: what is left over is a violation. */
export type MessageCodec<M extends { readonly type: string }> = {
  /** Code point on the wire. */
  readonly code: number;
  readonly type: M['type'];
  encode(writer: WireWriter, message: M): void;
  decode(reader: WireReader): M;
};
