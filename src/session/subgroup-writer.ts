import type { Dialect } from '../codec/moqt/dialect.ts';
import type { MoqObject } from '../codec/moqt/model.ts';
import type { SendStream } from '../transport/transport.ts';
import { deadStream } from './dead-stream.ts';
import type { SubgroupHeader, SubgroupWriter } from './types.ts';

export class TrackSubgroupWriter implements SubgroupWriter {
  readonly stream: SendStream;
  readonly header: SubgroupHeader;
  readonly #dialect: Dialect;
  readonly #closed: () => void;
  #previousObjectId: number | undefined;

  /** `closed` is called once or more when nothing further will be written. */
  constructor(dialect: Dialect, stream: SendStream, header: SubgroupHeader, closed: () => void) {
    this.stream = stream;
    this.header = header;
    this.#dialect = dialect;
    this.#closed = closed;
    void stream.stopped.then((code) => {
      // draft-18 11.4.3: a stream the peer stopped is answered with a reset.
      if (code !== null) stream.reset(code);
      closed();
    });
  }

  write(object: MoqObject): boolean {
    const bytes = this.#dialect.encodeObject(this.#previousObjectId, object, this.header.properties ?? false);
    if (!this.stream.write(bytes)) return false;
    this.#previousObjectId = object.objectId;
    return true;
  }

  finish(): void {
    this.stream.finish();
    this.#closed();
  }

  reset(code: number): void {
    this.stream.reset(code);
    this.#closed();
  }
}

/** For a subscription that is over: takes nothing. */
export const deadWriter: SubgroupWriter = { stream: deadStream, write: () => false, finish() {}, reset() {} };
