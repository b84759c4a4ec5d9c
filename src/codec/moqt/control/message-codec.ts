import type { ParameterRules } from '../fields/parameters.ts';
import type { WireReader, WireWriter } from '../wire.ts';

/** Bytes of one message's payload, without type and length. `decode` must use the reader up: what is left over is a violation. */
export type MessageCodec<M extends { readonly type: string }> = {
  /** Code point on the wire. */
  readonly code: number;
  readonly type: M['type'];
  /** `rules`: of the version's parameters; those of draft-18 by default. */
  encode(writer: WireWriter, message: M, rules?: ParameterRules): void;
  decode(reader: WireReader, rules?: ParameterRules): M;
};
