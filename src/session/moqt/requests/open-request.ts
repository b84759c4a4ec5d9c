import type { Request } from '../../../codec/moqt/message.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';

/** Starts a request with its first message. What cannot be encoded throws INVALID_ARGUMENT and costs no request id. */
export function openRequest(
  context: SessionContext,
  build: (requestId: number) => Request,
): { requestId: number; stream: MessageStream } {
  return context.channel.openRequest(build);
}
