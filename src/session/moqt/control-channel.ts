import type { Goaway } from '../../codec/moqt/control/goaway.ts';
import type { Setup } from '../../codec/moqt/control/setup.ts';
import type { Dialect } from '../../codec/moqt/dialect.ts';
import type { Message, Request } from '../../codec/moqt/message.ts';
import type { ItemSource } from '../../transport/decoded-stream.ts';
import type { BidiStream, Transport } from '../../transport/transport.ts';
import type { MessageStream } from './message-stream.ts';
import type { RequestIds } from './request-ids.ts';

/** How control messages and requests travel (see `Dialect.requestStreams`). The session above knows one form: draft-18's. */
export interface ControlChannel {
  /** SETUP first of all, GOAWAY later. */
  send(message: Setup | Goaway): void;
  /** Starts a request. What cannot be encoded throws INVALID_ARGUMENT and costs no request id. */
  openRequest(build: (requestId: number) => Request): { requestId: number; stream: MessageStream };
  /** A bidirectional stream of the peer. */
  take(stream: BidiStream): void;
}

export type ControlChannelParts = {
  readonly transport: Transport;
  readonly dialect: Dialect;
  readonly role: 'client' | 'server';
  readonly requestIds: RequestIds;
  /** To be called with the peer's SETUP and what follows it. */
  readonly control: (messages: ItemSource<Message>) => void;
  /** To be called with each request of the peer, its first message unread. */
  readonly request: (stream: MessageStream) => void;
  readonly fail: (error: unknown) => void;
};
