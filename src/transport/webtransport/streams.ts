import { fromHttp3Code, toHttp3Code } from '../../codec/http3/web-transport.ts';
import type { StreamsError } from '../../core/errors.ts';
import { deliverBytes } from '../deliver.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type { EndListener, FanOutWriter, ReceiveStream, SendStream, StreamTaker } from '../transport.ts';

/** The session the streams belong to. */
export type OwningSession = {
  /** It is over, and its streams go with the connection; which may live on for a moment. */
  readonly isClosed: boolean;
  /** We end a direction of a stream now. */
  streamEnds(): void;
};

/** A stream of the connection, with the session's codes. The stream header is written already. */
export class SessionSendStream implements SendStream, EndListener {
  readonly #base: SendStream;
  readonly #session: OwningSession;
  #listener: EndListener | undefined;

  constructor(base: SendStream, session: OwningSession) {
    this.#base = base;
    this.#session = session;
  }

  get fanOut(): FanOutWriter | undefined {
    return this.#base.fanOut;
  }

  get id(): number {
    return this.#base.id;
  }
  get queuedBytes(): number {
    return this.#base.queuedBytes;
  }
  get stopped(): Promise<number | null> {
    return this.#base.stopped.then((code) => (code === null ? null : applicationCode(code)));
  }
  onEnd(listener: EndListener): void {
    this.#listener = listener;
    this.#base.onEnd(this);
  }
  /** From the stream of the connection. */
  streamEnded(code: number | null): void {
    this.#listener?.streamEnded(code === null ? null : applicationCode(code));
  }
  write(bytes: Uint8Array): boolean {
    return !this.#session.isClosed && this.#base.write(bytes);
  }
  writable(): Promise<void> {
    return this.#session.isClosed ? Promise.resolve() : this.#base.writable();
  }
  finish(): void {
    if (this.#session.isClosed) return;
    this.#session.streamEnds();
    this.#base.finish();
  }
  reset(code: number): void {
    if (this.#session.isClosed) return;
    this.#session.streamEnds();
    this.#base.reset(toHttp3Code(code));
  }
  setPriority(priority: number): void {
    this.#base.setPriority(priority);
  }
}

export class SessionReceiveStream implements ReceiveStream, StreamTaker {
  readonly #base: ReceiveStream;
  readonly #session: OwningSession;
  #rest: Uint8Array | undefined;
  #taker: StreamTaker | undefined;

  /** `rest`: what came with the stream header. */
  constructor(base: ReceiveStream, session: OwningSession, rest?: Uint8Array) {
    this.#base = base;
    this.#session = session;
    this.#rest = rest !== undefined && rest.length > 0 ? rest : undefined;
  }

  get id(): number {
    return this.#base.id;
  }

  read(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    if (rest === undefined) return this.#base.read().catch(withApplicationCode);
    this.#rest = undefined;
    return Promise.resolve(rest);
  }

  deliverTo(taker: StreamTaker): void {
    const rest = this.#rest;
    this.#rest = undefined;
    this.#taker = taker;
    if (rest !== undefined) taker.bytes(rest);
    deliverBytes(this.#base, this);
  }

  /** From the stream of the connection. */
  bytes(chunk: Uint8Array): void {
    this.#taker?.bytes(chunk);
  }

  /** From the stream of the connection. */
  end(error: StreamsError | undefined): void {
    this.#taker?.end(error && ofSession(error));
  }

  stop(code: number): void {
    this.#rest = undefined;
    if (this.#session.isClosed) return;
    this.#session.streamEnds();
    this.#base.stop(toHttp3Code(code));
  }
}

function withApplicationCode(error: StreamsError): never {
  throw ofSession(error);
}

function ofSession(error: StreamsError): StreamsError {
  return error instanceof StreamResetError ? new StreamResetError(applicationCode(error.resetCode)) : error;
}

/** Codes of HTTP/3 itself (the session is gone, a proxy gave up) tell the application nothing: 0. */
function applicationCode(code: number): number {
  return fromHttp3Code(code) ?? 0;
}
