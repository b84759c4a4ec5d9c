import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import type { MoqObject } from '../codec/moqt/model.ts';
import { emptyBytes } from '../core/bytes.ts';
import type { SendStream } from '../transport/transport.ts';
import { deadStream } from './dead-stream.ts';
import { wireResetCode } from './reset-codes.ts';
import type { SubgroupHeader, SubgroupWriter } from './types.ts';

export type WriterEvents = {
  wrote(objectId: number): void;
  /** Called once or more when nothing further will be written. */
  closed(): void;
};

export class TrackSubgroupWriter implements SubgroupWriter {
  readonly stream: SendStream;
  readonly header: SubgroupHeader;
  readonly #dialect: ObjectDialect;
  readonly #on: WriterEvents;
  #previous: MoqObject | undefined;

  constructor(dialect: ObjectDialect, stream: SendStream, header: SubgroupHeader, on: WriterEvents) {
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
    const previous = this.#previous;
    const withProperties = this.header.properties ?? false;
    const bytes = this.#dialect.encodeObject(previous?.objectId, object, withProperties, previous?.properties);
    if (bytes.length > 0 && !this.stream.write(bytes)) return false;
    this.#previous = { ...object, payload: emptyBytes };
    this.#on.wrote(object.objectId);
    return true;
  }

  finish(): void {
    this.stream.finish();
    this.#on.closed();
  }

  reset(code: number): void {
    this.stream.reset(wireResetCode(this.#dialect, code));
    this.#on.closed();
  }
}

/** For a subscription that is over: takes nothing. */
export const deadWriter: SubgroupWriter = { stream: deadStream, write: () => false, finish() {}, reset() {} };
