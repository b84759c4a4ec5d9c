import type { ObjectDialect } from '../../../codec/moqt/dialect.ts';
import type { MoqObject } from '../../../codec/moqt/model.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import type { EndListener, SendStream } from '../../../transport/transport.ts';
import { deadStream } from '../../dead-stream.ts';
import { wireResetCode } from '../../reset-codes.ts';
import type { SubgroupHeader, SubgroupWriter } from '../../types.ts';

/** What the writers of a publication tell it. */
export type WriterOwner = {
  wrote(groupId: number, objectId: number): void;
  /** Called once or more when nothing further will be written. */
  closed(writer: TrackSubgroupWriter): void;
  /** Who listens to the end of a stream threw this. */
  failed(error: unknown): void;
};

export class TrackSubgroupWriter implements SubgroupWriter, EndListener {
  readonly stream: SendStream;
  readonly header: SubgroupHeader;
  readonly #dialect: ObjectDialect;
  readonly #owner: WriterOwner;
  #listener: EndListener | undefined;
  #previous: MoqObject | undefined;

  constructor(dialect: ObjectDialect, stream: SendStream, header: SubgroupHeader, owner: WriterOwner) {
    this.stream = stream;
    this.header = header;
    this.#dialect = dialect;
    this.#owner = owner;
    stream.onEnd(this);
  }

  onEnd(listener: EndListener): void {
    this.#listener = listener;
  }

  /** From the stream. */
  streamEnded(code: number | null): void {
    // draft-18 11.4.3: a stream the peer stopped is answered with a reset.
    if (code !== null) this.stream.reset(code);
    try {
      this.#owner.closed(this);
      this.#listener?.streamEnded(code);
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  write(object: MoqObject): boolean {
    const previous = this.#previous;
    const withProperties = this.header.properties ?? false;
    const bytes = this.#dialect.encodeObject(previous?.objectId, object, withProperties, previous?.properties);
    if (bytes.length > 0 && !this.stream.write(bytes)) return false;
    this.#previous = { ...object, payload: emptyBytes };
    this.#owner.wrote(this.header.groupId, object.objectId);
    return true;
  }

  finish(): void {
    this.stream.finish();
    this.#owner.closed(this);
  }

  reset(code: number): void {
    this.stream.reset(wireResetCode(this.#dialect, code));
    this.#owner.closed(this);
  }
}

/** For a subscription that is over: takes nothing. */
export const deadWriter: SubgroupWriter = {
  stream: deadStream,
  onEnd: (listener) => deadStream.onEnd(listener),
  write: () => false,
  finish() {},
  reset() {},
};
