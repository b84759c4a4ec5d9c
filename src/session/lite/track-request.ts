import { requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { resetCodeOf } from '../../codec/moqt/lite/codes.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { trackInfoOf } from '../../codec/moqt/lite/timestamp.ts';
import { type Track, trackInfo } from '../../codec/moqt/lite/track.ts';
import type { TrackName } from '../../codec/moqt/model.ts';
import { deferred } from '../../core/deferred.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { IncomingTrackStatus, TrackStatus } from '../types.ts';
import type { LiteContext } from './context.ts';
import type { LiteStream } from './lite-stream.ts';

/** TRACK of the peer (draft-lcurley-moq-lite-05, Track): asked as TRACK_STATUS is, answered with TRACK_INFO. */
export class TrackRequest implements IncomingTrackStatus, SessionMember {
  readonly track: TrackName;
  readonly tokens = [];
  readonly #context: LiteContext;
  readonly #stream: LiteStream;
  readonly #cancelled = deferred<void>();
  #over = false;

  constructor(context: LiteContext, stream: LiteStream, { namespace, name }: Track) {
    this.track = { namespace, name };
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
    void stream.send.stopped.then((code) => {
      if (code !== null) this.#end(() => stream.cancel(streamResetCodes.cancelled));
    });
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  accept({ trackProperties }: Partial<TrackStatus>): void {
    const bytes = encodeMessage(trackInfo, trackInfoOf(trackProperties), this.#context.version);
    this.#end(() => {
      this.#stream.write(bytes);
      this.#stream.finish();
    });
  }

  reject(code: number): void {
    this.#end(() => this.#stream.cancel(resetCodeOf(code)));
  }

  /** Nobody here is asked for the status of tracks: who publishes says nothing special of them. */
  answer(publishes: boolean): void {
    if (publishes) this.accept({});
    else this.reject(requestErrorCodes.doesNotExist);
  }

  sessionEnded(): void {
    this.#end(() => {});
  }

  #end(say: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.live.delete(this);
    say();
    this.#cancelled.resolve();
  }
}
