import { concat, emptyBytes } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import { readBoxHeader } from './boxes.ts';

/**
 * `init`: ftyp+moov. `fragment`: moof+mdat with the styp, prft and emsg before it. The bytes are the splitter's own copy.
 * `origin`: where in the stream `bytes` begins, seen from its moof: for fragments whose offsets count from there.
 */
export type CmafPiece = { readonly kind: 'init' | 'fragment'; readonly bytes: Uint8Array; readonly origin: number };

/** Boxes that go along with the fragment they stand before (ISO 23000-19 7.3.2.3). */
const fragmentPrefix = new Set(['styp', 'prft', 'emsg']);

/**
 * Cuts a CMAF byte stream into its init segments and fragments. Resumable: push whatever arrived. Other top-level boxes
 * (sidx, free, mfra, …) are dropped. Throws MALFORMED when boxes stand in an impossible order, LIMIT_EXCEEDED when one is
 * larger than `maxBoxBytes`; after a throw the splitter must not be used again.
 */
export class CmafSplitter {
  readonly #maxBoxBytes: number;
  readonly #waiting = new GatheredBytes();
  /** Bytes needed before there is any point in looking again. */
  #wanted = 8;
  #open: { kind: 'prefix' | 'init' | 'fragment'; boxes: Uint8Array[] } | undefined;
  /** Bytes of the stream before the box at hand. */
  #position = 0;
  #origin = 0;

  constructor(options: { maxBoxBytes?: number } = {}) {
    this.#maxBoxBytes = options.maxBoxBytes ?? 32 << 20;
  }

  push(bytes: Uint8Array): CmafPiece[] {
    const pieces: CmafPiece[] = [];
    this.#waiting.push(bytes);
    if (this.#waiting.length < this.#wanted) return pieces;
    let rest = this.#waiting.take();
    for (;;) {
      const header = readBoxHeader(rest);
      if (header === null) {
        this.#wanted = rest.length < 8 ? 8 : 16;
        break;
      }
      if (header.size === 0) throw new StreamsError('MALFORMED', 'a box without an end inside a stream');
      if (header.size > this.#maxBoxBytes) throw new StreamsError('LIMIT_EXCEEDED', `a box of ${header.size} bytes`);
      if (rest.length < header.size) {
        this.#wanted = header.size;
        break;
      }
      this.#box(header.type, rest.subarray(0, header.size), pieces);
      rest = rest.subarray(header.size);
      this.#position += header.size;
    }
    this.#waiting.push(rest.slice());
    if (rest.length === 0) this.#wanted = 8;
    return pieces;
  }

  /** True when everything pushed so far was handed out. */
  get atBoundary(): boolean {
    return this.#waiting.length === 0 && this.#open === undefined;
  }

  #box(type: string, bytes: Uint8Array, pieces: CmafPiece[]): void {
    if (fragmentPrefix.has(type)) {
      if (this.#open !== undefined && this.#open.kind !== 'prefix') throw misplaced(type);
      this.#open ??= { kind: 'prefix', boxes: [] };
      this.#keep(bytes);
    } else if (type === 'ftyp') {
      if (this.#open !== undefined) throw misplaced(type);
      this.#open = { kind: 'init', boxes: [] };
      this.#keep(bytes);
    } else if (type === 'moof') {
      if (this.#open !== undefined && this.#open.kind !== 'prefix') throw misplaced(type);
      const boxes = this.#open?.boxes ?? [];
      this.#origin = this.#position - boxes.reduce((size, box) => size + box.length, 0);
      this.#open = { kind: 'fragment', boxes };
      this.#keep(bytes);
    } else if (type === 'moov') {
      if (this.#open?.kind !== 'init') throw misplaced(type);
      this.#keep(bytes);
      this.#finish('init', pieces);
    } else if (type === 'mdat') {
      if (this.#open?.kind !== 'fragment') throw misplaced(type);
      this.#keep(bytes);
      this.#finish('fragment', pieces);
    }
  }

  #keep(bytes: Uint8Array): void {
    const boxes = this.#open!.boxes;
    if (boxes.length === 64) throw new StreamsError('LIMIT_EXCEEDED', 'too many boxes before a fragment');
    boxes.push(bytes.slice());
  }

  #finish(kind: 'init' | 'fragment', pieces: CmafPiece[]): void {
    pieces.push({ kind, bytes: concat(this.#open?.boxes ?? [emptyBytes]), origin: kind === 'init' ? 0 : this.#origin });
    this.#open = undefined;
  }
}

function misplaced(type: string): StreamsError {
  return new StreamsError('MALFORMED', `${type} out of order`);
}
