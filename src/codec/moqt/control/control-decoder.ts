import { ByteWriter, concat, emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { ParameterRules } from '../fields/parameters.ts';
import type { Message } from '../message.ts';
import { MoqtError, protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';
import type { MessageCodec } from './message-codec.ts';

const maxPayload = 0xffff;

/** Code point to codec, whatever the message type: the table a dialect is made of. */
export type MessageTable = ReadonlyMap<number, MessageCodec<Message>>;

export function messageTable(codecs: readonly MessageCodec<Message>[]): MessageTable {
  return new Map(codecs.map((codec) => [codec.code, codec]));
}

/** Type, 16-bit length, payload (draft-18 10). Throws INVALID_ARGUMENT when it does not fit in 65535 bytes. */
export function encodeMessage(
  table: MessageTable,
  varints: Varints,
  message: Message,
  rules?: ParameterRules,
): Uint8Array {
  for (const codec of table.values()) {
    if (codec.type !== message.type) continue;
    const payload = new WireWriter(varints);
    codec.encode(payload, message, rules);
    if (payload.length > maxPayload) throw new StreamsError('INVALID_ARGUMENT', `${message.type} over 65535 bytes`);
    const out = new ByteWriter(payload.length + 8);
    varints.write(out, codec.code);
    return out.u16(payload.length).bytes(payload.finish()).finish();
  }
  throw new StreamsError('UNSUPPORTED', `this dialect has no ${message.type}`);
}

/** Throws MoqtError: a payload shorter or longer than its message is a PROTOCOL_VIOLATION (draft-18 10). */
export function decodeMessage(
  table: MessageTable,
  varints: Varints,
  code: number,
  payload: Uint8Array,
  rules?: ParameterRules,
): Message {
  const codec = table.get(code);
  if (codec === undefined) throw protocolViolation(`unknown message type 0x${code.toString(16)}`);
  const reader = new WireReader(payload, varints);
  let message: Message;
  try {
    message = codec.decode(reader, rules);
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw protocolViolation(`${codec.type}: ${(error as Error).message}`, error);
  }
  if (reader.remaining > 0) throw protocolViolation(`${codec.type}: ${reader.remaining} bytes too many`);
  return message;
}

/** Control messages out of chunks of any size. Holds at most one incomplete message (64 KiB). After a throw it is of no use. */
export class ControlDecoder {
  readonly #table: MessageTable;
  readonly #varints: Varints;
  readonly #rules: ParameterRules | undefined;
  #tail: Uint8Array = emptyBytes;

  constructor(table: MessageTable, varints: Varints, rules?: ParameterRules) {
    this.#table = table;
    this.#varints = varints;
    this.#rules = rules;
  }

  /** True between messages, where a stream may end. */
  get idle(): boolean {
    return this.#tail.length === 0;
  }

  /** At FIN. Throws PROTOCOL_VIOLATION inside a message. */
  finish(): void {
    if (!this.idle) throw protocolViolation('the stream ends inside a message');
  }

  push(bytes: Uint8Array): Message[] {
    let data = this.#tail.length === 0 ? bytes : concat([this.#tail, bytes]);
    const messages: Message[] = [];
    while (data.length > 0) {
      const typeLength = this.#varints.lengthOf(data[0]!);
      const head = typeLength + 2;
      if (data.length < typeLength) break;
      // The type is looked at before the rest is there, so that garbage is not waited for.
      const code = this.#varints.read(new WireReader(data, this.#varints));
      if (!this.#table.has(code)) throw protocolViolation(`unknown message type 0x${code.toString(16)}`);
      if (data.length < head) break;
      const end = head + ((data[typeLength]! << 8) | data[typeLength + 1]!);
      if (data.length < end) break;
      messages.push(decodeMessage(this.#table, this.#varints, code, data.subarray(head, end), this.#rules));
      data = data.subarray(end);
    }
    this.#tail = data.length === 0 ? emptyBytes : data.slice();
    return messages;
  }
}
