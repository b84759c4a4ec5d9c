import type { StoredGroup, TrackStore } from '../../broadcast/track-store.ts';
import { catalogTrackName } from '../../codec/catalog/streams-catalog.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Broadcast } from '../broadcast.ts';
import type { AssetRecord } from '../vod/asset-record.ts';
import { AssetWriter } from '../vod/asset-writer.ts';
import type { MediaStore } from '../vod/media-store.ts';

/** Fragments wait here until the control plane has named the asset. */
const maxWaitingBytes = 64 << 20;

type Recorded = Pick<Broadcast, 'catalog' | 'find' | 'restarts'>;

/**
 * Appends what a broadcast publishes to the files of an asset: the best video and the first audio, byte for byte. A source that
 * takes over, or changes its configuration, is a discontinuity in the same asset.
 */
export class Recorder {
  readonly #broadcast: Recorded;
  readonly #logger: Logger;
  readonly #waiting: ((writer: AssetWriter) => void)[] = [];
  readonly #leave: (() => void)[] = [];
  readonly #followed = new Set<'video' | 'audio'>();
  #waitingBytes = 0;
  #writer: AssetWriter | undefined;
  #restarts: number;
  #failed: StreamsError | undefined;
  #closed = false;

  constructor(broadcast: Recorded, logger: Logger) {
    this.#broadcast = broadcast;
    this.#logger = logger;
    this.#restarts = broadcast.restarts;
    broadcast.find(catalogTrackName, (track) => {
      if (track === undefined || this.#closed) return;
      const look = () => this.#followTracks();
      this.#leave.push(track.follow({ group: look, object: look, end: () => undefined }));
    });
  }

  /** The asset is there: writes what has waited, and everything from now on. */
  into(store: MediaStore, record: AssetRecord): void {
    const writer = new AssetWriter(store, record);
    this.#writer = writer;
    for (const write of this.#waiting.splice(0)) this.#write(write, 0);
    this.#waitingBytes = 0;
  }

  /** No more is taken; what was taken is on the disk and indexed when this resolves. Throws what writing failed with. */
  async finish(): Promise<{ durationMs: number; bytes: number; tracks: number }> {
    this.#stop();
    if (this.#writer === undefined) throw this.#failed ?? new StreamsError('NO_MEDIA', 'nothing was recorded');
    const { durationMs, bytes, tracks } = await this.#writer.finish();
    return { durationMs, bytes, tracks: tracks.length };
  }

  /** As `finish`, without an index. */
  async close(): Promise<void> {
    this.#stop();
    await this.#writer?.close();
  }

  #stop(): void {
    this.#closed = true;
    for (const leave of this.#leave.splice(0)) leave();
  }

  #followTracks(): void {
    for (const kind of ['video', 'audio'] as const) {
      if (this.#closed || this.#followed.has(kind)) continue;
      // Renditions come after the source.
      const name = this.#broadcast.catalog?.tracks.find((track) => track.kind === kind)?.name;
      if (name === undefined) continue;
      this.#followed.add(kind);
      this.#broadcast.find(name, (track) => track !== undefined && this.#follow(track));
    }
  }

  #follow(track: TrackStore): void {
    if (this.#closed) return;
    let group: StoredGroup | undefined;
    let next = 0;
    const take = () => {
      while (group !== undefined && next < group.objects.length) this.#object(track.name, group.objects[next]!, next++);
    };
    const begin = (begun: StoredGroup) => {
      take();
      group = begun;
      next = 0;
      take();
    };
    this.#leave.push(track.follow({ group: begin, object: take, end: () => undefined }));
  }

  #object(name: string, bytes: Uint8Array, id: number): void {
    const restarts = this.#broadcast.restarts;
    const joined = id === 0 && restarts !== this.#restarts;
    if (joined) this.#restarts = restarts;
    this.#write((writer) => {
      if (joined) writer.newPeriod();
      if (id === 0) writer.init(name, bytes);
      else writer.fragment(name, bytes);
    }, bytes.length);
  }

  #write(write: (writer: AssetWriter) => void, bytes: number): void {
    if (this.#failed !== undefined) return;
    try {
      if (this.#writer !== undefined) {
        write(this.#writer);
        return;
      }
      this.#waitingBytes += bytes;
      if (this.#waitingBytes > maxWaitingBytes)
        throw new StreamsError('API_UNREACHABLE', 'the control plane has not named the asset in time');
      this.#waiting.push(write);
    } catch (error) {
      // The broadcast goes on; what was written stays.
      this.#failed = toStreamsError(error);
      this.#logger.error('recording has stopped', { code: this.#failed.code, reason: this.#failed.message });
    }
  }
}
