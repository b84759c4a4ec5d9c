import { concat } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { needBox, needPath, readBoxes, readFullBox } from './boxes.ts';
import { parseFragment, type TrackDefaults, writeFragment } from './fragment.ts';
import { type ParsedTrack, parseInitSegment, writeFtyp, writeMoov } from './init-segment.ts';
import { CmafSplitter } from './splitter.ts';

/** An init segment of one track, and what it says. */
export type TrackInit = { readonly track: ParsedTrack; readonly bytes: Uint8Array };

export type TrackPiece =
  /** A (new) configuration: all its video and audio tracks. */
  | { readonly kind: 'inits'; readonly inits: readonly TrackInit[] }
  /** One access unit as a fragment of its own; `seconds`: its decode time. */
  | {
      readonly kind: 'unit';
      readonly trackId: number;
      readonly keyframe: boolean;
      readonly seconds: number;
      readonly bytes: Uint8Array;
    };

/**
 * A fragmented MP4 of any number of tracks, as it arrives, to CMAF tracks of one access unit a fragment. Tracks that are
 * neither video nor audio are left out. Resumable; throws MALFORMED, LIMIT_EXCEEDED, and UNSUPPORTED where there is nothing to
 * carry; after a throw it must not be used again.
 */
export class TrackSplitter {
  readonly #splitter = new CmafSplitter();
  #tracks: ReadonlyMap<number, ParsedTrack> | undefined;
  #defaults: TrackDefaults = new Map();
  readonly #sequences = new Map<number, number>();

  /** Everything pushed so far was whole. */
  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  /** `wallClock`: ms since the Unix epoch, written into each fragment (`prft`). */
  push(bytes: Uint8Array, wallClock: number): TrackPiece[] {
    const pieces: TrackPiece[] = [];
    for (const piece of this.#splitter.push(bytes)) {
      if (piece.kind === 'init') pieces.push({ kind: 'inits', inits: this.#init(piece.bytes) });
      else this.#fragment(piece.bytes, piece.origin, wallClock, pieces);
    }
    return pieces;
  }

  #init(bytes: Uint8Array): TrackInit[] {
    const parsed = parseInitSegment(bytes);
    this.#defaults = new Map(parsed.map((track) => [track.trackId, track.defaults]));
    const carried = parsed.filter(({ kind }) => kind !== 'other');
    if (carried.length === 0) throw new StreamsError('UNSUPPORTED', 'the init segment has neither video nor audio');
    this.#tracks = new Map(carried.map((track) => [track.trackId, track]));
    return carried.map((track) => ({ track, bytes: singleTrack(bytes, track.trackId) }));
  }

  #fragment(bytes: Uint8Array, origin: number, wallClock: number, pieces: TrackPiece[]): void {
    if (this.#tracks === undefined) throw new StreamsError('MALFORMED', 'a fragment before the first init segment');
    for (const { trackId, baseMediaDecodeTime, samples } of parseFragment(bytes, this.#defaults, origin).tracks) {
      const track = this.#tracks.get(trackId);
      if (track === undefined) continue;
      let decodeTime = baseMediaDecodeTime;
      for (const { data, duration, compositionOffset, keyframe: sync } of samples) {
        const sequence = (this.#sequences.get(trackId) ?? 0) + 1;
        const keyframe = sync || track.kind === 'audio';
        if (data.length > 0) {
          this.#sequences.set(trackId, sequence);
          const unit = { trackId, sequence, decodeTime, duration, compositionOffset, keyframe, data, wallClock };
          const seconds = decodeTime / track.timescale;
          pieces.push({ kind: 'unit', trackId, keyframe, seconds, bytes: writeFragment(unit) });
        }
        decodeTime += duration;
      }
    }
  }
}

/** `ftyp` and `moov` of one track out of those of several. */
function singleTrack(init: Uint8Array, trackId: number): Uint8Array {
  const moov = readBoxes(needBox(readBoxes(init), 'moov').payload);
  const trak = moov.find((box) => {
    if (box.type !== 'trak') return false;
    const tkhd = readFullBox(needBox(readBoxes(box.payload), 'tkhd'));
    tkhd.reader.take(tkhd.version === 1 ? 16 : 8);
    return tkhd.reader.u32() === trackId;
  });
  const trex = readBoxes(needPath(moov, 'mvex').payload).find(
    (box) => box.type === 'trex' && readFullBox(box).reader.u32() === trackId,
  );
  if (trak === undefined || trex === undefined) throw new StreamsError('MALFORMED', `track ${trackId} has no trex`);
  return concat([writeFtyp(), writeMoov([trak.bytes], [trex.bytes], trackId + 1)]);
}
