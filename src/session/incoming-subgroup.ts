import type { MoqObject } from '../codec/moqt/model.ts';
import type { SubgroupDecoder } from '../codec/moqt/object-stream.ts';
import type { ReceiveStream } from '../transport/transport.ts';
import type { SessionContext } from './context.ts';
import { readingData, wireResetCode } from './reset-codes.ts';
import type { IncomingSubgroup } from './types.ts';

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
    this.priority = header.priority ?? 128;
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
      if (this.#ended) return null;
      const bytes = await readingData(this.#context.dialect, this.#stream.read());
      if (this.#ended) return null;
      try {
        if (bytes !== null) this.#objects = this.#decoder.push(bytes);
        else {
          this.#ended = true;
          this.#decoder.finish();
        }
      } catch (error) {
        this.#ended = true;
        this.#context.fail(error);
        throw error;
      }
    }
  }

  stop(code: number): void {
    this.#ended = true;
    this.#objects = [];
    this.#index = 0;
    this.#stream.stop(wireResetCode(this.#context.dialect, code));
  }
}
