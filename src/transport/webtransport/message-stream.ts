import { http3Code } from '../../codec/http3/code-points.ts';
import type { Http3Frame } from '../../codec/http3/frames.ts';
import { encodeFrame, Http3FrameDecoder } from '../../codec/http3/frames.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import type { Field } from '../../codec/http3/qpack.ts';
import { decodeFieldSection, encodeFieldSection } from '../../codec/http3/qpack.ts';
import { takeBytes } from '../taken.ts';
import type { BidiStream, StreamTaker } from '../transport.ts';

export interface FrameTaker {
  /** HEADERS or a piece of DATA. What it throws ends the reading. */
  frame(frame: Http3Frame): void;
  /** The last call. undefined: FIN; otherwise what `next` would have thrown, or `frame` did. */
  end(error: unknown): void;
}

/** A request stream (RFC 9114 section 4.1): frames both ways. */
export class MessageStream implements StreamTaker {
  readonly #stream: BidiStream;
  readonly #decoder = new Http3FrameDecoder({ stream: 'request' });
  readonly #frames: Http3Frame[];
  #taker: FrameTaker | undefined;

  /** `firstBytes`: what was read from the stream already. Throws Http3Error. */
  constructor(stream: BidiStream, firstBytes: Uint8Array) {
    this.#stream = stream;
    this.#frames = this.#decoder.push(firstBytes);
  }

  /** Next HEADERS or piece of DATA; null at FIN. Throws Http3Error, StreamResetError or TRANSPORT_CLOSED. */
  async next(): Promise<Http3Frame | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      const bytes = await this.#stream.receive.read();
      if (bytes === null) {
        this.#decoder.finish();
        return null;
      }
      this.#frames.push(...this.#decoder.push(bytes));
    }
  }

  /** From now on frames go to `taker`, instead of `next`. */
  deliverTo(taker: FrameTaker): void {
    this.#taker = taker;
    this.#deliver(() => this.#frames.splice(0));
    takeBytes(this.#stream.receive, this);
  }

  /** From the stream. */
  bytes(chunk: Uint8Array): void {
    this.#deliver(() => this.#decoder.push(chunk));
  }

  /** From the stream. */
  end(error: unknown): void {
    const taker = this.#taker;
    this.#taker = undefined;
    try {
      if (error === undefined) this.#decoder.finish();
      taker?.end(error);
    } catch (torn) {
      taker?.end(torn);
    }
  }

  #deliver(frames: () => Http3Frame[]): void {
    try {
      if (this.#taker !== undefined) for (const frame of frames()) this.#taker?.frame(frame);
    } catch (error) {
      this.end(error);
    }
  }

  /** The HEADERS the stream must begin with; null when it ended first. Throws like `next`. */
  async headers(): Promise<Map<string, string> | null> {
    const frame = await this.next();
    if (frame === null) return null;
    if (frame.type !== 'headers') throw new Http3Error(http3Code.frameUnexpected, 'DATA before HEADERS');
    return fieldMap(decodeFieldSection(frame.bytes));
  }

  sendHeaders(fields: readonly Field[]): void {
    this.#stream.send.write(encodeFrame({ type: 'headers', bytes: encodeFieldSection(fields) }));
  }

  sendData(bytes: Uint8Array): void {
    this.#stream.send.write(encodeFrame({ type: 'data', bytes }));
  }

  finish(): void {
    this.#stream.send.finish();
  }

  /** Gives both directions up. */
  abort(code: number): void {
    this.#stream.send.reset(code);
    this.#stream.receive.stop(code);
  }

  /** Wants no more of the peer's side. */
  stop(code: number): void {
    this.#stream.receive.stop(code);
  }
}

/** A pseudo-header twice is malformed (RFC 9114 4.3); other repeated fields are one list (RFC 9110 5.3). */
function fieldMap(fields: readonly Field[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of fields) {
    const before = map.get(name);
    if (before !== undefined && name.startsWith(':')) throw new Http3Error(http3Code.messageError, `${name} twice`);
    map.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
}
