import { fromHttp3Code, toHttp3Code } from '../../codec/http3/web-transport.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type { EndListener, FanOutWriter, ReceiveStream, SendStream } from '../transport.ts';

/** The session the streams belong to. */
export type SessionLife = {
  /** It is over, and its streams go with the connection; which may live on for a moment. */
  readonly isClosed: boolean;
  /** We end a direction of a stream now. */
  streamEnds(): void;
};

/** A stream of the connection, with the session's codes. The stream header is written already. */
export class SessionSendStream implements SendStream, EndListener {
  readonly #base: SendStream;
  readonly #session: SessionLife;
  #listener: EndListener | undefined;

  constructor(base: SendStream, session: SessionLife) {
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

export class SessionReceiveStream implements ReceiveStream {
  readonly #base: ReceiveStream;
  readonly #session: SessionLife;
  #rest: Uint8Array | undefined;

  /** `rest`: what came with the stream header. */
  constructor(base: ReceiveStream, session: SessionLife, rest?: Uint8Array) {
    this.#base = base;
    this.#session = session;
    this.#rest = rest !== undefined && rest.length > 0 ? rest : undefined;
  }

  get id(): number {
    return this.#base.id;
  }

  async read(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    if (rest !== undefined) {
      this.#rest = undefined;
      return rest;
    }
    try {
      return await this.#base.read();
    } catch (error) {
      throw error instanceof StreamResetError ? new StreamResetError(applicationCode(error.resetCode)) : error;
    }
  }

  stop(code: number): void {
    this.#rest = undefined;
    if (this.#session.isClosed) return;
    this.#session.streamEnds();
    this.#base.stop(toHttp3Code(code));
  }
}

/** Codes of HTTP/3 itself (the session is gone, a proxy gave up) tell the application nothing: 0. */
function applicationCode(code: number): number {
  return fromHttp3Code(code) ?? 0;
}
