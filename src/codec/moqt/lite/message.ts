import { StreamsError } from '../../../core/errors.ts';
import { limitExceeded, MoqtError, protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader, WireWriter } from '../wire.ts';
import type { LiteVersion } from './version.ts';

/** Larger than any message has to be: paths, tokens in paths, GOAWAY's URI. */
export const maxMessageBytes = 16 * 1024;

/** The body of one kind of message, what is behind its length (draft-lcurley-moq-lite, Message Length). */
export type MessageCodec<T> = {
  readonly name: string;
  write(writer: WireWriter, value: T, version: LiteVersion): void;
  read(reader: WireReader, version: LiteVersion): T;
};

/** Length and body. Throws UNSUPPORTED for what moq-lite cannot say. */
export function encodeMessage<T>(codec: MessageCodec<T>, value: T, version: LiteVersion): Uint8Array {
  const body = new WireWriter(quicVarints);
  codec.write(body, value, version);
  if (body.length > maxMessageBytes) throw new StreamsError('UNSUPPORTED', `${codec.name} of ${body.length} bytes`);
  return new WireWriter(quicVarints, body.length + 4).lengthPrefixed(body.finish()).finish();
}

/** A body that must be exactly one message. Throws MoqtError. */
export function decodeBody<T>(codec: MessageCodec<T>, body: Uint8Array, version: LiteVersion): T {
  const reader = new WireReader(body, quicVarints);
  let value: T;
  try {
    value = codec.read(reader, version);
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw protocolViolation(`${codec.name}: ${(error as Error).message}`, error);
  }
  if (reader.remaining > 0) throw protocolViolation(`${codec.name} is ${reader.remaining} bytes too long`);
  return value;
}

/** Throws LIMIT_EXCEEDED. */
export function checkMessageLength(length: number): void {
  if (length > maxMessageBytes) throw limitExceeded(`a message of ${length} bytes`);
}
