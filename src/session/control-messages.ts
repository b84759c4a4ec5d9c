import type { Dialect } from '../codec/moqt/dialect.ts';
import type { Message } from '../codec/moqt/message.ts';
import type { ReceiveStream } from '../transport/transport.ts';

/** The messages of a control stream of which `head` was read. Throws MoqtError, StreamResetError or TRANSPORT_CLOSED. */
export async function* messagesOf(stream: ReceiveStream, head: Uint8Array, dialect: Dialect): AsyncGenerator<Message> {
  const decoder = dialect.controlDecoder();
  for (let bytes: Uint8Array | null = head; bytes !== null; bytes = await stream.read()) yield* decoder.push(bytes);
}
