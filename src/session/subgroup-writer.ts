import type { Dialect } from '../codec/moqt/dialect.ts';
import type { MoqObject } from '../codec/moqt/model.ts';
import type { SendStream } from '../transport/transport.ts';
import { deadStream } from './dead-stream.ts';
import type { SubgroupHeader, SubgroupWriter } from './types.ts';

export type WriterEvents = {
  wrote(objectId: number): void;
  /** Called once or more when nothing further will be written. */
  closed(): void;
};

export class TrackSubgroupWriter implements SubgroupWriter {
  readonly stream: SendStream;
  readonly header: SubgroupHeader;
  readonly #dialect: Dialect;
  readonly #on: WriterEvents;
  #previousObjectId: number | undefined;

  constructor(dialect: Dialect, stream: SendStream, header: SubgroupHeader, on: WriterEvents) {
    this.stream = stream;
    this.header = header;
    this.#dialect = dialect;
    this.#on = on;
    void stream.stopped.then((code) => {
      // draft-18 11.4.3: a stream the peer stopped is answered with a reset.
      if (code !== null) stream.reset(code);
      on.closed();
    });
  }

  write(object: MoqObject): boolean {
    const bytes = this.#dialect.encodeObject(this.#previousObjectId, object, this.header.properties ?? false);
    if (!this.stream.write(bytes)) return false;
    this.#previousObjectId = object.objectId;
    this.#on.wrote(object.objectId);
    return true;
  }

  finish(): void {
    this.stream.finish();
    this.#on.closed();
  }

  reset(code: number): void {
    this.stream.reset(code);
    this.#on.closed();
  }
}

/** For a subscription that is over: takes nothing. */
export const deadWriter: SubgroupWriter = { stream: deadStream, write: () => false, finish() {}, reset() {} };
