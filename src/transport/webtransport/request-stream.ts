import { http3Code } from '../../codec/http3/code-points.ts';
import type { Http3Frame } from '../../codec/http3/frames.ts';
import { encodeFrame, Http3FrameDecoder } from '../../codec/http3/frames.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import type { Field } from '../../codec/http3/qpack.ts';
import { decodeFieldSection, encodeFieldSection } from '../../codec/http3/qpack.ts';
import { DecodedStream, type ItemSource, type ItemTaker } from '../decoded-stream.ts';
import type { BidiStream } from '../transport.ts';

/** A request stream (RFC 9114 section 4.1): HEADERS and pieces of DATA both ways. */
export class RequestStream implements ItemSource<Http3Frame> {
  readonly #stream: BidiStream;
  readonly #frames: DecodedStream<Http3Frame>;

  /** `firstBytes`: what was read from the stream already. Throws Http3Error. */
  constructor(stream: BidiStream, firstBytes: Uint8Array) {
    this.#stream = stream;
    this.#frames = new DecodedStream(stream.receive, new Http3FrameDecoder({ stream: 'request' }), firstBytes);
  }

  next(): Promise<Http3Frame | null> {
    return this.#frames.next();
  }

  deliverTo(taker: ItemTaker<Http3Frame>): void {
    this.#frames.deliverTo(taker);
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
