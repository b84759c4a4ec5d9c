import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { FetchOk } from '../../../codec/moqt/control/fetch-ok.ts';
import type { FetchDecoder, FetchItem } from '../../../codec/moqt/data/fetch-stream.ts';
import type { GroupOrder, Location } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamResetError } from '../../../transport/stream-reset-error.ts';
import type { ReceiveStream } from '../../../transport/transport.ts';
import { readingData } from '../../reset-codes.ts';
import type { FetchedObjects } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest } from '../requests/follow-request.ts';

/** One FETCH of ours: its request stream, and the data stream that answers it. */
export class FetchReader implements FetchedObjects, SessionMember {
  readonly groupOrder: GroupOrder;
  readonly #context: SessionContext;
  readonly #request: MessageStream;
  readonly #ended: () => void;
  readonly #decoder: Pick<FetchDecoder, 'push' | 'finish'>;
  /** null: none will come. */
  readonly #stream = deferred<ReceiveStream | null>();
  #attached: ReceiveStream | undefined;
  #ok: FetchOk | undefined;
  #items: FetchItem[] = [];
  #index = 0;
  /** `stopped`: by us; `lost`: the publisher gave up before its stream came. */
  #state: 'open' | 'finished' | 'stopped' | 'lost' = 'open';

  constructor(context: SessionContext, request: MessageStream, groupOrder: GroupOrder, ended: () => void) {
    this.#context = context;
    this.#request = request;
    this.groupOrder = groupOrder;
    this.#ended = ended;
    this.#decoder = context.dialect.fetchDecoder(groupOrder);
    context.live.add(this);
  }

  get end(): Location {
    return this.#ok?.end ?? { group: 0, object: 0 };
  }
  get endOfTrack(): boolean {
    return this.#ok?.endOfTrack ?? false;
  }
  get trackProperties(): Uint8Array {
    return this.#ok?.trackProperties ?? new Uint8Array();
  }

  accepted(ok: FetchOk): void {
    this.#ok = ok;
    const lost = () => this.#lost();
    followRequest(this.#context, this.#request, {
      message: (message) => {
        if (message.type !== 'goaway') throw protocolViolation(`${message.type} to a FETCH`);
      },
      cancelled: lost,
      // A publisher that has said all may finish before its stream is here.
      finished: () => this.#request.finish(),
    });
  }

  attach(stream: ReceiveStream, rest: Uint8Array): void {
    if (this.#attached !== undefined) throw protocolViolation('a second stream for one FETCH');
    if (this.#state !== 'open') {
      stream.stop(streamResetCodes.cancelled);
      return;
    }
    this.#attached = stream;
    this.#items = this.#decoder.push(rest);
    this.#stream.resolve(stream);
  }

  async next(): Promise<FetchItem | null> {
    const stream = await this.#stream.promise;
    for (;;) {
      if (this.#state === 'lost' && this.#attached === undefined)
        throw new StreamResetError(streamResetCodes.cancelled);
      const item = this.#items[this.#index++];
      if (item !== undefined) return item;
      this.#items = [];
      this.#index = 0;
      if (this.#state !== 'open' || stream === null) return null;
      await this.#read(stream);
    }
  }

  stop(): void {
    if (this.#state !== 'open') return;
    this.#state = 'stopped';
    this.#items = [];
    this.#request.cancel(streamResetCodes.cancelled);
    this.#attached?.stop(streamResetCodes.cancelled);
    this.#over();
  }

  sessionEnded(): void {
    this.#lost();
  }

  async #read(stream: ReceiveStream): Promise<void> {
    let bytes: Uint8Array | null;
    try {
      bytes = await readingData(this.#context.dialect, stream.read());
    } catch (error) {
      this.#state = 'finished';
      this.#over();
      throw error;
    }
    if (this.#state === 'stopped') return;
    try {
      if (bytes !== null) {
        this.#items = this.#decoder.push(bytes);
        return;
      }
      this.#decoder.finish();
    } catch (error) {
      this.#context.fail(error);
      throw error;
    }
    this.#state = 'finished';
    this.#request.finish();
    this.#over();
  }

  /** What is attached ends by itself. */
  #lost(): void {
    if (this.#state !== 'open' || this.#attached !== undefined) return;
    this.#state = 'lost';
    this.#request.cancel(streamResetCodes.cancelled);
    this.#over();
  }

  #over(): void {
    this.#context.live.delete(this);
    this.#stream.resolve(null);
    this.#ended();
  }
}
