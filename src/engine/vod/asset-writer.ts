import type { WriteStream } from 'node:fs';
import { bytesEqual } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { type AssetIndex, assetIndex, indexFile, type TrackIndex } from './asset-index.ts';
import type { AssetRecord } from './asset-record.ts';
import { diskError, type MediaStore } from './media-store.ts';
import { TrackIndexer } from './track-indexer.ts';

type Track = {
  name: string;
  file: string;
  firstPeriod: number;
  indexer: TrackIndexer;
  /** Bytes handed to the file. */
  size: number;
  init: Uint8Array | undefined;
  period: number;
  /** Until the file is open. */
  waiting: Uint8Array[];
  out: WriteStream | undefined;
  opened: Promise<void>;
};

/** What recovery needs beside the track files themselves. */
export type TrackFile = { name: string; file: string; firstPeriod: number };
export const tracksFile = 'tracks.json';

/** More than this waits for the disk: it is too slow, or gone. */
const maxPendingBytes = 256 << 20;
const comfortableBytes = 8 << 20;

/**
 * Groups of CMAF objects to the files of an asset. Bytes go to the system as they come, so that a killed process loses nothing
 * that it wrote; what is in the files can be indexed again.
 */
export class AssetWriter {
  readonly #store: MediaStore;
  readonly #record: AssetRecord;
  readonly #tracks = new Map<string, Track>();
  #period = 0;
  #failed: unknown;
  #tracksWritten: Promise<unknown> = Promise.resolve();

  constructor(store: MediaStore, record: AssetRecord) {
    this.#store = store;
    this.#record = record;
  }

  /** Why it writes no more. */
  get failed(): unknown {
    return this.#failed;
  }

  /** Bytes that wait for the disk. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const { waiting, out } of this.#tracks.values()) {
      bytes += out?.writableLength ?? 0;
      for (const chunk of waiting) bytes += chunk.length;
    }
    return bytes;
  }

  /** Another source: what comes next does not follow on what came before. */
  newPeriod(): void {
    if ([...this.#tracks.values()].some(({ period }) => period === this.#period)) this.#period++;
  }

  /** The init segment that a group begins with; written where it is another one, or a period begins. */
  init(name: string, bytes: Uint8Array): void {
    const track = this.#tracks.get(name) ?? this.#open(name);
    const changed = track.init === undefined || !bytesEqual(track.init, bytes);
    if (changed && track.init !== undefined && track.period === this.#period) this.#period++;
    if (!changed && track.period === this.#period) return;
    track.init = bytes;
    track.period = this.#period;
    track.indexer.init(bytes, track.size);
    this.#append(track, bytes);
  }

  /** Throws MALFORMED for a fragment before the first init segment, and what it failed with before. */
  fragment(name: string, bytes: Uint8Array): void {
    const track = this.#tracks.get(name);
    if (track === undefined) throw new StreamsError('MALFORMED', 'a fragment before its init segment');
    track.indexer.fragment(bytes, track.size);
    this.#append(track, bytes);
  }

  /** Resolves when little waits. Throws DISK_FULL, and LIMIT_EXCEEDED when the disk is too slow. */
  async drained(): Promise<void> {
    while (this.#failed === undefined && this.pendingBytes > comfortableBytes)
      await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.#failed !== undefined) throw this.#failed;
  }

  /** Puts everything on the disk, then the index. Throws what writing failed with. */
  async finish(): Promise<AssetIndex> {
    await this.close();
    if (this.#failed !== undefined) throw this.#failed;
    const tracks = [...this.#tracks.values()].flatMap(
      ({ indexer }): TrackIndex | TrackIndex[] => indexer.finish() ?? [],
    );
    const index = assetIndex(this.#record, tracks);
    if (index.tracks.length > 0) await this.#store.writeJson(this.#record.assetId, indexFile, index);
    return index;
  }

  /** Puts everything on the disk and lets go of the files. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#tracks.values()].map(async (track) => {
        await track.opened;
        const { out } = track;
        if (out === undefined || out.closed) return;
        await new Promise<void>((resolve) => {
          out.once('close', resolve);
          out.end();
        });
      }),
    );
    await this.#tracksWritten;
  }

  #open(name: string): Track {
    const file = `track-${this.#tracks.size}.cmaf`;
    const firstPeriod = this.#period;
    const indexer = new TrackIndexer(name, file, firstPeriod);
    const track: Track = {
      name,
      file,
      firstPeriod,
      indexer,
      size: 0,
      init: undefined,
      period: firstPeriod,
      waiting: [],
      out: undefined,
      opened: Promise.resolve(),
    };
    this.#tracks.set(name, track);
    const { assetId } = this.#record;
    const files: TrackFile[] = [...this.#tracks.values()].map(({ name, file, firstPeriod }) => ({
      name,
      file,
      firstPeriod,
    }));
    this.#tracksWritten = this.#tracksWritten
      .then(() => this.#store.writeJson(assetId, tracksFile, files))
      .catch((error) => this.#fail(error));
    track.opened = this.#store.write(assetId, file, 0).then(
      (out) => {
        out.on('error', (error) => this.#fail(error));
        track.out = out;
        for (const chunk of track.waiting) out.write(chunk);
        track.waiting = [];
      },
      (error) => this.#fail(error),
    );
    return track;
  }

  #append(track: Track, bytes: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    track.size += bytes.length;
    if (track.out === undefined) track.waiting.push(bytes);
    else track.out.write(bytes);
    if (track.out !== undefined && track.out.writableLength > maxPendingBytes)
      this.#fail(new StreamsError('LIMIT_EXCEEDED', 'the disk of the media engine is too slow'));
  }

  #fail(error: unknown): void {
    this.#failed ??= diskError(error);
  }
}
