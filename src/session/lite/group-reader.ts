import { FrameDecoder } from '../../codec/moqt/lite/frames.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import type { MoqObject } from '../../codec/moqt/model.ts';
import type { ReceiveStream } from '../../transport/transport.ts';
import type { IncomingSubgroup } from '../types.ts';
import type { LiteContext } from './context.ts';

/** Frames of one stream as objects. */
export class FrameReader {
  readonly #context: LiteContext;
  readonly #stream: ReceiveStream;
  readonly #decoder: FrameDecoder;
  #objects: MoqObject[];
  #index = 0;
  #ended = false;

  /** `rest` was read from the stream already. Throws MoqtError. */
  constructor(context: LiteContext, stream: ReceiveStream, rest: Uint8Array) {
    this.#context = context;
    this.#stream = stream;
    this.#decoder = new FrameDecoder(context.version);
    this.#objects = this.#decoder.push(rest);
  }

  /** null after FIN or `stop`. Throws StreamResetError, TRANSPORT_CLOSED, and MoqtError when it has failed the session. */
  async next(): Promise<MoqObject | null> {
    for (;;) {
      const object = this.#objects[this.#index++];
      if (object !== undefined) return object;
      this.#objects = [];
      this.#index = 0;
      if (this.#ended) return null;
      const bytes = await this.#stream.read();
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
    this.#stream.stop(code);
  }
}

/** A group is one stream: the only subgroup of the group, from its first object to its last. */
export class GroupReader implements IncomingSubgroup {
  readonly groupId: number;
  readonly subgroupId = 0;
  readonly endOfGroup = true;
  readonly firstObject = true;
  /** Timestamps. */
  readonly properties: boolean;
  readonly priority: number;
  readonly #frames: FrameReader;

  constructor(context: LiteContext, groupId: number, priority: number, frames: FrameReader) {
    this.groupId = groupId;
    this.priority = priority;
    this.properties = hasTrackInfo(context.version);
    this.#frames = frames;
  }

  next(): Promise<MoqObject | null> {
    return this.#frames.next();
  }

  stop(code: number): void {
    this.#frames.stop(code);
  }
}
