import type { Message } from '../codec/moqt/message.ts';
import type { SessionContext } from './context.ts';
import { MessageStream } from './message-stream.ts';
import { requestStreamPriority } from './stream-priority.ts';

/** Opens a request stream with its first message. What cannot be encoded throws INVALID_ARGUMENT and costs no request id. */
export function openRequest(
  context: SessionContext,
  build: (requestId: number) => Message,
): { requestId: number; stream: MessageStream } {
  const { requestId, bytes } = context.requestIds.use((id) => ({
    requestId: id,
    bytes: context.dialect.encodeMessage(build(id)),
  }));
  const stream = new MessageStream(context.transport.openBidi({ priority: requestStreamPriority }), context.dialect);
  stream.sendEncoded(bytes);
  return { requestId, stream };
}
