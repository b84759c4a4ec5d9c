import type { Goaway } from '../../codec/moqt/control/goaway.ts';
import type { Setup } from '../../codec/moqt/control/setup.ts';
import type { Request } from '../../codec/moqt/message.ts';
import { transportPriorities } from '../../core/send-order.ts';
import type { BidiStream, SendStream } from '../../transport/transport.ts';
import type { ControlChannel, ControlChannelParts } from './control-channel.ts';
import { BidiMessageStream, type MessageStream } from './message-stream.ts';

/** A pair of unidirectional control streams, and a bidirectional stream a request (draft-17 on, draft-18 3.3). */
export class StreamPerRequest implements ControlChannel {
  readonly #parts: ControlChannelParts;
  #control: SendStream | undefined;

  constructor(parts: ControlChannelParts) {
    this.#parts = parts;
  }

  send(message: Setup | Goaway): void {
    const { transport, dialect } = this.#parts;
    this.#control ??= transport.openUni({ priority: transportPriorities.control });
    this.#control.write(dialect.encodeMessage(message));
  }

  openRequest(build: (requestId: number) => Request): { requestId: number; stream: MessageStream } {
    const { transport, dialect, requestIds } = this.#parts;
    const { requestId, bytes } = requestIds.use((id) => ({ requestId: id, bytes: dialect.encodeMessage(build(id)) }));
    const stream = new BidiMessageStream(transport.openBidi({ priority: transportPriorities.request }), dialect);
    stream.sendEncoded(bytes);
    return { requestId, stream };
  }

  take(stream: BidiStream): void {
    const { dialect, request } = this.#parts;
    request(new BidiMessageStream(stream, dialect));
  }
}
