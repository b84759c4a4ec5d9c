import type { Deferred } from '../core/deferred.ts';
import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import { StreamEnd } from './stream-end.ts';
import { StreamResetError } from './stream-reset-error.ts';
import type { EndListener, ReceiveStream, SendStream } from './transport.ts';

/** Bytes a send stream takes before the browser has passed them on. */
const highWaterBytes = 256 * 1024;

type Ending = { kind: 'finish' } | { kind: 'reset'; code: number };

/** A browser's writable stream behind the synchronous shape; until the browser has opened it, everything waits here. */
export class BrowserSendStream implements SendStream {
  readonly id: number;
  readonly #sendEnd = new StreamEnd();
  readonly #sent: (byteLength: number) => void;
  #stream: WritableStream<Uint8Array> | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #waiting: Uint8Array[] = [];
  #ending: Ending | undefined;
  #ended = false;
  #queuedBytes = 0;
  #priority = 0;
  #writers: Deferred<void>[] = [];

  constructor(
    id: number,
    opening: Promise<WritableStream<Uint8Array>>,
    priority: number,
    sent: (byteLength: number) => void,
  ) {
    this.id = id;
    this.#priority = priority;
    this.#sent = sent;
    opening.then(
      (stream) => this.#opened(stream),
      () => this.#end(null),
    );
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get stopped(): Promise<number | null> {
    return this.#sendEnd.promise;
  }

  onEnd(listener: EndListener): void {
    this.#sendEnd.listen(listener);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#ending !== undefined || this.#queuedBytes >= highWaterBytes) return false;
    this.#queuedBytes += bytes.length;
    this.#sent(bytes.length);
    if (this.#writer === undefined) this.#waiting.push(bytes);
    else this.#pass(this.#writer, bytes);
    return true;
  }

  writable(): Promise<void> {
    if (this.#ended || this.#ending !== undefined || this.#queuedBytes < highWaterBytes) return Promise.resolve();
    const writer = deferred<void>();
    this.#writers.push(writer);
    return writer.promise;
  }

  finish(): void {
    if (this.#ended || this.#ending !== undefined) return;
    this.#ending = { kind: 'finish' };
    this.#wakeWriters();
    this.#applyEnding();
  }

  reset(code: number): void {
    if (this.#ended || this.#ending?.kind === 'reset') return;
    this.#ending = { kind: 'reset', code };
    this.#waiting = [];
    this.#wakeWriters();
    this.#applyEnding();
  }

  /** Only where the browser has send orders. */
  setPriority(priority: number): void {
    this.#priority = priority;
    const stream = this.#stream;
    if (stream !== undefined && 'sendOrder' in stream) stream.sendOrder = priority;
  }

  #opened(stream: WritableStream<Uint8Array>): void {
    this.#stream = stream;
    this.#writer = stream.getWriter();
    this.setPriority(this.#priority);
    this.#writer.closed.then(
      () => this.#end(null),
      (error: unknown) => this.#end(this.#ending?.kind === 'reset' ? null : stopCode(error)),
    );
    for (const bytes of this.#waiting.splice(0)) this.#pass(this.#writer, bytes);
    this.#applyEnding();
  }

  #pass(writer: WritableStreamDefaultWriter<Uint8Array>, bytes: Uint8Array): void {
    writer.write(bytes).then(
      () => {
        if (this.#ended) return;
        this.#queuedBytes -= bytes.length;
        if (this.#queuedBytes < highWaterBytes) this.#wakeWriters();
      },
      // `closed` of the writer tells why.
      () => {},
    );
  }

  #applyEnding(): void {
    const writer = this.#writer;
    if (writer === undefined || this.#ending === undefined) return;
    const ignore = () => {};
    if (this.#ending.kind === 'finish') writer.close().catch(ignore);
    else {
      writer.abort(streamError(this.#ending.code)).catch(ignore);
      this.#end(null);
    }
  }

  #end(stopCode: number | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#queuedBytes = 0;
    this.#sendEnd.settle(stopCode);
    this.#wakeWriters();
  }

  #wakeWriters(): void {
    for (const writer of this.#writers.splice(0)) writer.resolve();
  }
}

export class BrowserReceiveStream implements ReceiveStream {
  readonly id: number;
  readonly #opening: Promise<ReadableStreamDefaultReader<Uint8Array>>;
  readonly #received: (byteLength: number) => void;
  #stopped = false;

  constructor(id: number, opening: Promise<ReadableStream<Uint8Array>>, received: (byteLength: number) => void) {
    this.id = id;
    this.#received = received;
    this.#opening = opening.then((stream) => stream.getReader());
    this.#opening.catch(() => {});
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#stopped) return null;
    try {
      const reader = await this.#opening;
      const { done, value } = await reader.read();
      if (done || this.#stopped) return null;
      this.#received(value.length);
      return value;
    } catch (cause) {
      if (this.#stopped) return null;
      const code = streamCode(cause);
      if (code !== null) throw new StreamResetError(code);
      throw new StreamsError('TRANSPORT_CLOSED', 'the WebTransport session is closed', { cause });
    }
  }

  stop(code: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#opening.then((reader) => reader.cancel(streamError(code))).catch(() => {});
  }
}

/** The code a peer ended a stream with; null when the session ended instead. */
function streamCode(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('streamErrorCode' in error)) return null;
  if ('source' in error && error.source === 'session') return null;
  return typeof error.streamErrorCode === 'number' ? error.streamErrorCode : null;
}

/** Chromium 156 now and then has lost the code of a STOP_SENDING and says NetworkError: that counts as 0. */
function stopCode(error: unknown): number | null {
  return streamCode(error) ?? (error instanceof DOMException && error.name === 'NetworkError' ? 0 : null);
}

/**
 * Chromium 156 sends no code above 255: its `streamErrorCode` of an error made here is one clamped byte.
 * The W3C constructor takes (message, options); Chromium's of 2026 one dictionary, and throws for a string.
 */
function streamError(code: number): unknown {
  try {
    const error = new WebTransportError('', { source: 'stream', streamErrorCode: code });
    if (error.streamErrorCode === code) return error;
  } catch {
    // The older form, then.
  }
  const Older = WebTransportError as unknown as new (init: { streamErrorCode: number }) => WebTransportError;
  return new Older({ streamErrorCode: code });
}
