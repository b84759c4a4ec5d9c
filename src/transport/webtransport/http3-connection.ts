import { http3Code, streamType } from '../../codec/http3/code-points.ts';
import { encodeFrame, Http3FrameDecoder } from '../../codec/http3/frames.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import type { Http3Settings } from '../../codec/http3/settings.ts';
import { decodeSettings, encodeSettings, ourSettings } from '../../codec/http3/settings.ts';
import type { StreamHeader } from '../../codec/http3/web-transport.ts';
import { decodeStreamHeader } from '../../codec/http3/web-transport.ts';
import { concat } from '../../core/bytes.ts';
import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import { transportPriorities } from '../../core/send-order.ts';
import { deliverAll, deliverBytes } from '../deliver.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type { BidiStream, ReceiveStream, Transport } from '../transport.ts';

/** Takes the streams of its session; `rest` is what came with the stream header. */
export interface SessionStreams {
  readonly sessionId: number;
  incomingUni(stream: ReceiveStream, rest: Uint8Array): void;
  incomingBidi(stream: BidiStream, rest: Uint8Array): void;
  /** Resolves when the session takes more: until then the connection's own stream limit holds the peer back. */
  room(kind: 'uni' | 'bidi'): Promise<void>;
}

/** `streamId`: the QUIC stream id of the request, which names the session it opens. */
export type RequestHandler = (stream: BidiStream, firstBytes: Uint8Array, streamId: number) => Promise<void>;

type Early =
  | { kind: 'uni'; sessionId: number; stream: ReceiveStream; rest: Uint8Array }
  | { kind: 'bidi'; sessionId: number; stream: BidiStream; rest: Uint8Array };

/** Streams that came before their session was answered (draft-ietf-webtrans-http3 4.5). */
const maxEarlyStreams = 64;

/**
 * HTTP/3 under one WebTransport session: control streams, and the sorting of what the peer opens. Whatever breaks the
 * protocol closes the connection with its HTTP/3 code; nothing is thrown.
 */
export class Http3Connection {
  readonly base: Transport;
  readonly #settings: Deferred<Http3Settings> = deferred();
  readonly #failed = deferred<Http3Error>();
  readonly #request: RequestHandler | undefined;
  readonly #critical: number[] = [];
  #session: SessionStreams | undefined;
  #early: Early[] = [];
  /** QUIC id of the next request stream: they come in order, and a client's first is 0 (RFC 9000 2.1). The socket's ids are others. */
  #nextId = 0;
  #flows = false;

  /** `request`: servers only; takes each request stream. What it throws as Http3Error closes the connection. */
  constructor(base: Transport, request?: RequestHandler) {
    this.base = base;
    this.#request = request;
    const control = base.openUni({ priority: transportPriorities.control });
    const settings = encodeFrame({ type: 'settings', bytes: encodeSettings(ourSettings) });
    control.write(concat([Uint8Array.of(streamType.control), settings]));
    void this.#acceptUni();
    void this.#acceptBidi();
  }

  /** The peer's; stays pending when they never come. */
  get settings(): Promise<Http3Settings> {
    return this.#settings.promise;
  }

  /** Settles when the peer broke the protocol and the connection was closed for it. */
  get failed(): Promise<Http3Error> {
    return this.#failed.promise;
  }

  /** From now on the session's streams go to it, those that came early first. */
  attach(session: SessionStreams): void {
    this.#session = session;
    for (const early of this.#early.splice(0)) this.#deliver(early);
  }

  fail(error: Http3Error): void {
    this.#failed.resolve(error);
    this.base.close({ code: error.http3Code, reason: error.message });
  }

  /** The session takes whatever comes, at once: only the limit of streams holds the peer back from now on. */
  flow(datagram: (bytes: Uint8Array) => void): void {
    this.#flows = true;
    deliverAll(this.base, {
      uni: (stream) => void this.#routeUni(stream),
      bidi: (stream) => void this.#routeBidi(stream),
      datagram,
    });
  }

  async #acceptUni(): Promise<void> {
    for (let s = await this.base.acceptUni(); s !== null; s = await this.base.acceptUni()) {
      void this.#routeUni(s);
      await this.#session?.room('uni');
      if (this.#flows) return;
    }
  }

  async #acceptBidi(): Promise<void> {
    for (let s = await this.base.acceptBidi(); s !== null; s = await this.base.acceptBidi()) {
      void this.#routeBidi(s);
      await this.#session?.room('bidi');
      if (this.#flows) return;
    }
  }

  async #routeUni(stream: ReceiveStream): Promise<void> {
    await this.#guard(async () => {
      const opened = await readHeader(stream);
      if (opened === null) return;
      const { header, bytes } = opened;
      const rest = bytes.subarray(header.length);
      switch (header.type) {
        case streamType.webTransportUni:
          this.#deliver({ kind: 'uni', sessionId: sessionIdOf(header), stream, rest });
          return;
        case streamType.control:
          this.#once(header.type);
          this.#readControl(stream, rest);
          return;
        case streamType.qpackEncoder:
        case streamType.qpackDecoder:
          this.#once(header.type);
          // With no room in the dynamic table, QPACK instructions say nothing.
          this.#takeCritical(stream, () => {});
          return;
        case streamType.push:
          throw new Http3Error(
            this.#request === undefined ? http3Code.idError : http3Code.streamCreationError,
            'a push stream nobody asked for',
          );
        default:
          stream.stop(http3Code.streamCreationError);
      }
    });
  }

  async #routeBidi(stream: BidiStream): Promise<void> {
    const id = this.#nextId;
    this.#nextId += 4;
    await this.#guard(async () => {
      const opened = await readHeader(stream.receive);
      if (opened === null) return;
      const { header, bytes } = opened;
      if (header.type === streamType.webTransportBidi) {
        this.#deliver({ kind: 'bidi', sessionId: sessionIdOf(header), stream, rest: bytes.subarray(header.length) });
        return;
      }
      if (this.#request === undefined) {
        throw new Http3Error(http3Code.streamCreationError, 'a request from the server');
      }
      await this.#request(stream, bytes, id);
    });
  }

  /** A stream that was reset or lost is nobody's fault; a broken protocol ends the connection. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Http3Error) this.fail(error);
    }
  }

  #deliver(early: Early): void {
    const session = this.#session;
    if (session === undefined && this.#early.length < maxEarlyStreams) {
      this.#early.push(early);
      return;
    }
    if (session?.sessionId !== early.sessionId) {
      const receive = early.kind === 'uni' ? early.stream : early.stream.receive;
      receive.stop(http3Code.bufferedStreamRejected);
      if (early.kind === 'bidi') early.stream.send.reset(http3Code.bufferedStreamRejected);
    } else if (early.kind === 'uni') session.incomingUni(early.stream, early.rest);
    else session.incomingBidi(early.stream, early.rest);
  }

  #once(type: number): void {
    if (this.#critical.includes(type))
      throw new Http3Error(http3Code.streamCreationError, 'a second control or QPACK stream');
    this.#critical.push(type);
  }

  #readControl(stream: ReceiveStream, rest: Uint8Array): void {
    const decoder = new Http3FrameDecoder({ stream: 'control' });
    const take = (bytes: Uint8Array): void => {
      // GOAWAY is no news: there is one session a connection, and it goes on.
      for (const frame of decoder.push(bytes)) {
        if (frame.type === 'settings') this.#settings.resolve(decodeSettings(frame.bytes));
      }
    };
    take(rest);
    this.#takeCritical(stream, take);
  }

  /** RFC 9114 6.2.1: the end of a control or QPACK stream is the end of the connection. */
  #takeCritical(stream: ReceiveStream, take: (bytes: Uint8Array) => void): void {
    deliverBytes(stream, {
      bytes: (chunk) => void this.#guard(async () => take(chunk)),
      end: (error) => {
        if (error === undefined || error instanceof StreamResetError)
          this.fail(new Http3Error(http3Code.closedCriticalStream, 'a control or QPACK stream was closed'));
      },
    });
  }
}

/** Reads on until the stream's type (and session id) is there; null when it ended before. */
async function readHeader(stream: ReceiveStream): Promise<{ header: StreamHeader; bytes: Uint8Array } | null> {
  for (let bytes = await stream.read(); bytes !== null; ) {
    const header = decodeStreamHeader(bytes);
    if (header !== undefined) return { header, bytes };
    const more = await stream.read();
    if (more === null) return null;
    bytes = concat([bytes, more]);
  }
  return null;
}

function sessionIdOf(header: StreamHeader): number {
  const id = header.sessionId!;
  // Sessions are client-initiated bidirectional streams (RFC 9000 2.1).
  if (id % 4 !== 0) throw new Http3Error(http3Code.idError, `0x${id.toString(16)} is no session id`);
  return id;
}
