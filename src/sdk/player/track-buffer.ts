import { StreamsError } from '../../core/errors.ts';

type Step = { readonly bytes: Uint8Array } | { readonly offset: number } | { readonly type: string };

const keepBehindSeconds = 10;
/** What may wait for a SourceBuffer that does not take it. */
const maxQueuedSteps = 2000;

/** The append queue of one SourceBuffer; takes media before the buffer is there. */
export class TrackBuffer {
  readonly #onError: (error: StreamsError) => void;
  readonly #playhead: () => number;
  #queue: Step[] = [];
  #buffer: SourceBuffer | undefined;
  #closed = false;

  constructor(playhead: () => number, onError: (error: StreamsError) => void) {
    this.#playhead = playhead;
    this.#onError = onError;
  }

  open(buffer: SourceBuffer): void {
    this.#buffer = buffer;
    buffer.addEventListener('updateend', () => this.#pump());
    buffer.addEventListener('error', () =>
      this.#fail(new StreamsError('MALFORMED', 'the browser cannot decode the media')),
    );
    this.#pump();
  }

  append(bytes: Uint8Array): void {
    this.#push({ bytes });
  }

  /** Seconds added to the times of everything appended after it. */
  shift(offset: number): void {
    this.#push({ offset });
  }

  /** What is appended after it is of this MIME type. */
  changeType(type: string): void {
    this.#push({ type });
  }

  /** End of what is buffered, seconds; undefined when nothing is. */
  get end(): number | undefined {
    const ranges = this.#ranges();
    return ranges !== undefined && ranges.length > 0 ? ranges.end(ranges.length - 1) : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
  }

  #push(step: Step): void {
    if (this.#closed) return;
    this.#queue.push(step);
    if (this.#queue.length > maxQueuedSteps)
      this.#fail(new StreamsError('LIMIT_EXCEEDED', 'the player takes no media'));
    else this.#pump();
  }

  #pump(): void {
    const buffer = this.#buffer;
    if (this.#closed || buffer === undefined || buffer.updating) return;
    try {
      if (this.#trim(buffer, keepBehindSeconds * 2)) return;
      for (let step = this.#queue[0]; step !== undefined; step = this.#queue[0]) {
        if ('offset' in step) buffer.timestampOffset = step.offset;
        else if ('type' in step) buffer.changeType(step.type);
        else buffer.appendBuffer(new Uint8Array(step.bytes));
        this.#queue.shift();
        if (buffer.updating) return;
      }
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError' && this.#trim(buffer, 1)) return;
      this.#fail(new StreamsError('INTERNAL', 'the player refused the media', { cause: error }));
    }
  }

  /** Drops what is more than `keepBehindSeconds` (or less, when pressed) behind, once more than `whenSeconds` is. */
  #trim(buffer: SourceBuffer, whenSeconds: number): boolean {
    const ranges = this.#ranges();
    if (ranges === undefined || ranges.length === 0) return false;
    const behind = this.#playhead() - ranges.start(0);
    if (behind <= whenSeconds) return false;
    buffer.remove(0, this.#playhead() - Math.min(keepBehindSeconds, whenSeconds / 2));
    return true;
  }

  #ranges(): TimeRanges | undefined {
    try {
      return this.#buffer?.buffered;
    } catch {
      return undefined; // Removed from its MediaSource.
    }
  }

  #fail(error: StreamsError): void {
    if (this.#closed) return;
    this.close();
    this.#onError(error);
  }
}
