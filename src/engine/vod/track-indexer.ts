import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { parseFragment, type TrackDefaults } from '../../codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../codec/cmaf/init-segment.ts';
import { StreamsError } from '../../core/errors.ts';
import type { TrackIndex } from './asset-index.ts';

/** A segment is cut at the first keyframe after so long. */
const videoSeconds = 2;
const audioSeconds = 4;

/** Init segments and fragments of one track, in the order of their file, to its index. */
export class TrackIndexer {
  readonly #index: Pick<TrackIndex, 'file' | 'firstPeriod' | 'inits' | 'segments'>;
  readonly #name: string;
  #description: CatalogTrack | undefined;
  #timescale = 1;
  #defaults: TrackDefaults = new Map();
  #trackId = 0;
  /** End of the newest fragment, ticks. */
  #end = 0;
  /** The next fragment begins a segment. */
  #cut = true;
  #samples = 0;
  /** Of the first sample. */
  #compositionOffset = 0;

  constructor(name: string, file: string, firstPeriod: number) {
    this.#name = name;
    this.#index = { file, firstPeriod, inits: [], segments: [] };
  }

  /** Throws MALFORMED, or UNSUPPORTED when it does not describe one video or audio track. */
  init(bytes: Uint8Array, offset: number): void {
    const [track, ...others] = parseInitSegment(bytes);
    if (track === undefined || others.length > 0 || track.kind === 'other')
      throw new StreamsError('UNSUPPORTED', 'an init segment that does not describe one video or audio track');
    const { kind, codecString: codec, width, height, sampleRate, channels } = track;
    this.#settle();
    // A changed clock would change every time before it: the first one stays.
    if (this.#description !== undefined && track.timescale !== this.#timescale)
      throw new StreamsError('UNSUPPORTED', 'the clock of a track has changed');
    this.#description ??= {
      name: this.#name,
      kind,
      codec,
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
      ...(sampleRate !== undefined && { sampleRate }),
      ...(channels !== undefined && { channels }),
    };
    this.#timescale = track.timescale;
    this.#trackId = track.trackId;
    this.#defaults = new Map([[track.trackId, track.defaults]]);
    this.#index.inits.push({ offset, length: bytes.length });
    this.#cut = true;
  }

  /** Throws MALFORMED when it is none of the track. */
  fragment(bytes: Uint8Array, offset: number): void {
    const { inits, segments } = this.#index;
    const track = parseFragment(bytes, this.#defaults).tracks.find(({ trackId }) => trackId === this.#trackId);
    if (inits.length === 0 || track === undefined || track.samples.length === 0)
      throw new StreamsError('MALFORMED', 'a fragment without its track');
    const start = track.baseMediaDecodeTime;
    const video = this.#description?.kind === 'video';
    if (segments.length === 0) this.#compositionOffset = track.samples[0]!.compositionOffset;
    const open = segments.at(-1);
    const due = open !== undefined && start - open.start >= (video ? videoSeconds : audioSeconds) * this.#timescale;
    if (open === undefined || this.#cut || (due && (!video || track.samples[0]!.keyframe))) {
      this.#settle(start);
      segments.push({ offset, length: bytes.length, start, duration: 0, init: inits.length - 1 });
      this.#cut = false;
    } else open.length = offset + bytes.length - open.offset;
    this.#end = start + track.samples.reduce((sum, { duration }) => sum + duration, 0);
    this.#samples += track.samples.length;
  }

  /** Of all that was indexed; more may follow. undefined before the first init segment. */
  finish(): TrackIndex | undefined {
    if (this.#description === undefined) return undefined;
    this.#settle();
    const { inits, segments } = this.#index;
    const seconds = segments.reduce((sum, { duration }) => sum + duration, 0) / this.#timescale;
    const bytes = segments.reduce((sum, { length }) => sum + length, 0);
    const measured =
      seconds > 0
        ? {
            bitrate: Math.round((bytes * 8) / seconds),
            ...(this.#description.kind === 'video' && {
              framerate: Math.round((this.#samples / seconds) * 1000) / 1000,
            }),
          }
        : {};
    return {
      ...this.#index,
      description: { ...this.#description, ...measured },
      timescale: this.#timescale,
      ...(this.#compositionOffset !== 0 && { compositionOffset: this.#compositionOffset }),
      inits: [...inits],
      segments: segments.map((segment) => ({ ...segment })),
    };
  }

  /** The open segment lasts until the next one begins, or to its own end where the clock stops. */
  #settle(next?: number): void {
    const open = this.#index.segments.at(-1);
    if (open === undefined) return;
    const until = next === undefined || this.#cut ? this.#end : next;
    open.duration = Math.max(0, until - open.start);
  }
}
