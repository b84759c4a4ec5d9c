import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';

/** How long the body of a request that was answered is read on: a connection that is closed at once takes the answer with it. */
const lingerMs = 3000;

/** The stream of an HTTP/2 request; undefined in HTTP/1. */
export function http2Stream(incoming: IncomingMessage): ServerHttp2Stream | undefined {
  return incoming.httpVersionMajor >= 2 ? (incoming as unknown as { stream: ServerHttp2Stream }).stream : undefined;
}

export function hasBody(incoming: IncomingMessage): boolean {
  const stream = http2Stream(incoming);
  if (stream !== undefined) return !stream.endAfterHeaders;
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  return encoding !== undefined || (length !== undefined && Number(length) !== 0);
}

/** Nothing more will come of the body. */
export function bodyIsDone(incoming: IncomingMessage): boolean {
  const stream = http2Stream(incoming);
  if (stream === undefined) return incoming.complete || incoming.destroyed;
  return stream.endAfterHeaders || stream.readableEnded || stream.destroyed;
}

/** Reads what is left of a body to nowhere, for a while; then ends the connection (HTTP/1) or the stream (HTTP/2). */
export function discardBody(incoming: IncomingMessage): void {
  if (bodyIsDone(incoming)) return;
  incoming.resume();
  const late = setTimeout(() => {
    if (!bodyIsDone(incoming)) cutBody(incoming);
  }, lingerMs);
  late.unref();
  incoming.once('close', () => clearTimeout(late));
}

/** Takes no more of a body. What was answered already stays good. */
export function cutBody(incoming: IncomingMessage): void {
  const stream = http2Stream(incoming);
  // NO_ERROR (RFC 9113 8.1): the answer is whole, no more of the request is wanted.
  if (stream !== undefined) stream.close(0);
  else incoming.destroy();
}

/**
 * The body of a request as a stream of its own: whoever drops it does not end the connection to the client, and it ends well only when the
 * body came whole. What is dropped is left to `discardBody`.
 */
export class RequestBody extends Readable {
  readonly #incoming: IncomingMessage;
  readonly #progress: () => void;
  #begin: (() => void) | undefined;

  /** `begin` is called once, when the first part of the body has come or its end; `progress` with each part. */
  constructor(incoming: IncomingMessage, { begin, progress }: { begin(): void; progress(): void }) {
    super({ highWaterMark: 256 * 1024 });
    this.#incoming = incoming;
    this.#progress = progress;
    this.#begin = begin;
    // The dispatcher stops listening before the last word may have come.
    this.on('error', () => {});
    incoming.on('data', this.#take).on('end', this.#end).on('close', this.#end).on('aborted', this.#cut);
    incoming.resume();
  }

  override _read(): void {
    this.#incoming.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const incoming = this.#incoming;
    incoming.off('data', this.#take).off('end', this.#end).off('close', this.#end).off('aborted', this.#cut);
    done(error);
  }

  readonly #take = (chunk: Buffer): void => {
    this.#progress();
    if (!this.push(chunk)) this.#incoming.pause();
    this.#started();
  };

  readonly #end = (): void => {
    if (this.readableEnded || this.destroyed) return;
    const stream = http2Stream(this.#incoming);
    // A stream that the client resets without an error ends as one that is whole; but then it is closed as well.
    const whole = stream === undefined ? this.#incoming.complete : !stream.closed && !stream.aborted;
    if (whole) {
      this.push(null);
      this.#started();
    } else this.#cut();
  };

  readonly #started = (): void => {
    this.#begin?.();
    this.#begin = undefined;
  };

  readonly #cut = (): void => {
    this.destroy(new Error('the request was cut'));
  };
}
