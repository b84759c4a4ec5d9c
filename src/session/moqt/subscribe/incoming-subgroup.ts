import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { SubgroupDecoder } from '../../../codec/moqt/data/object-stream.ts';
import type { MoqObject } from '../../../codec/moqt/model.ts';
import { objectPriorities } from '../../../core/send-order.ts';
import { StreamResetError } from '../../../transport/stream-reset-error.ts';
import type { ReceiveStream } from '../../../transport/transport.ts';
import { readingData, wireResetCode } from '../../reset-codes.ts';
import type { IncomingSubgroup } from '../../types.ts';
import type { SessionContext } from '../context.ts';

/** A subgroup stream whose header was read. */
export class SubgroupReader implements IncomingSubgroup {
  readonly groupId: number;
  readonly subgroupId: number;
  readonly endOfGroup: boolean;
  readonly properties: boolean;
  readonly firstObject: boolean;
  readonly trackAlias: number;
  /** The subscription's default until the header or the subscription says otherwise. */
  priority: number;
  /** The header has no priority of its own. */
  readonly inheritsPriority: boolean;
  readonly #context: SessionContext;
  readonly #stream: ReceiveStream;
  readonly #decoder: SubgroupDecoder;
  #objects: MoqObject[];
  #index = 0;
  #ended = false;
  #cancelled = false;
  /** Called when nothing more will come of the stream. */
  ended: (() => void) | undefined;

  /** `decoder` has read the header, and with it `objects`. */
  constructor(context: SessionContext, stream: ReceiveStream, decoder: SubgroupDecoder, objects: MoqObject[]) {
    const header = decoder.header!;
    this.trackAlias = header.trackAlias;
    this.groupId = header.groupId;
    this.subgroupId = decoder.subgroupId!;
    this.endOfGroup = header.endOfGroup;
    this.properties = header.properties;
    this.firstObject = header.firstObject;
    this.inheritsPriority = header.priority === undefined;
    this.priority = header.priority ?? objectPriorities.unsaid;
    this.#context = context;
    this.#stream = stream;
    this.#decoder = decoder;
    this.#objects = objects;
  }

  async next(): Promise<MoqObject | null> {
    for (;;) {
      const object = this.#objects[this.#index++];
      if (object !== undefined) return object;
      this.#objects = [];
      this.#index = 0;
      if (this.#ended) return this.#nothing();
      const bytes = await this.#read();
      if (this.#ended) return this.#nothing();
      try {
        if (bytes !== null) this.#objects = this.#decoder.push(bytes);
        else {
          this.#end();
          this.#decoder.finish();
        }
      } catch (error) {
        this.#end();
        this.#context.fail(error);
        throw error;
      }
    }
  }

  /** Its subscription is given up: whoever reads it sees a reset, not an end. */
  cancel(): void {
    if (this.#ended) return;
    this.#cancelled = true;
    this.stop(streamResetCodes.cancelled);
  }

  async #read(): Promise<Uint8Array | null> {
    try {
      return await readingData(this.#context.dialect, this.#stream.read());
    } catch (error) {
      this.ended?.();
      throw error;
    }
  }

  #nothing(): null {
    if (this.#cancelled) throw new StreamResetError(streamResetCodes.cancelled);
    return null;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.ended?.();
  }

  stop(code: number): void {
    this.#end();
    this.#objects = [];
    this.#index = 0;
    this.#stream.stop(wireResetCode(this.#context.dialect, code));
  }
}
