import { streamResetCodes } from '../../codec/moqt/codes.ts';
import type { Message } from '../../codec/moqt/message.ts';
import type { MoqObject } from '../../codec/moqt/model.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { WireReader } from '../../codec/moqt/wire.ts';
import { concat, emptyBytes } from '../../core/bytes.ts';
import { DecodedStream, type ItemSource } from '../../transport/decoded-stream.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import type { ReceiveStream } from '../../transport/transport.ts';
import type { Consumer } from './consumer.ts';
import type { SessionContext } from './context.ts';
import { SubgroupReader } from './subscribe/incoming-subgroup.ts';

/** Data streams that may wait for SETUP (draft-18 3.3); more are stopped. */
const maxEarly = 32;

/** Tells the peer's unidirectional streams apart and brings each where it belongs. */
export class DataStreams {
  readonly #context: SessionContext;
  readonly #consumer: Consumer;
  readonly #control: (messages: ItemSource<Message>) => void;
  #early = 0;

  constructor(context: SessionContext, consumer: Consumer, control: (messages: ItemSource<Message>) => void) {
    this.#context = context;
    this.#consumer = consumer;
    this.#control = control;
  }

  take(stream: ReceiveStream): void {
    this.#route(stream).catch((error) => this.#context.fail(error));
  }

  takeDatagram(bytes: Uint8Array): void {
    // Before SETUP nobody can own one.
    if (!this.#context.isOpen()) return;
    try {
      const datagram = this.#context.dialect.decodeDatagram(bytes);
      if (datagram !== undefined) this.#consumer.subscriber.onDatagram(datagram);
    } catch (error) {
      this.#context.fail(error);
    }
  }

  async #route(stream: ReceiveStream): Promise<void> {
    const { dialect } = this.#context;
    const { varints } = dialect;
    let head: Uint8Array = emptyBytes;
    while (head.length === 0 || head.length < varints.lengthOf(head[0]!)) {
      const bytes = await stream.read();
      if (bytes === null) throw protocolViolation('a unidirectional stream without a type');
      head = concat([head, bytes]);
    }
    const type = varints.read(new WireReader(head, varints));
    switch (dialect.streamKind(type)) {
      case 'control':
        return this.#control(new DecodedStream(stream, dialect.controlDecoder(), head));
      case 'subgroup':
        return this.#subgroup(stream, head);
      case 'padding':
        while ((await stream.read()) !== null);
        return;
      case 'fetch':
        return this.#fetch(stream, head);
      case 'unknown':
        throw protocolViolation(`unknown stream type 0x${type.toString(16)}`);
    }
  }

  async #fetch(stream: ReceiveStream, first: Uint8Array): Promise<void> {
    if (!(await this.#ready())) {
      stream.stop(streamResetCodes.excessiveLoad);
      return;
    }
    const { varints } = this.#context.dialect;
    const typeLength = varints.lengthOf(first[0]!);
    let head = first;
    while (head.length === typeLength || head.length < typeLength + varints.lengthOf(head[typeLength]!)) {
      const bytes = await stream.read();
      if (bytes === null) throw protocolViolation('FETCH stream ends inside its header');
      head = concat([head, bytes]);
    }
    const reader = new WireReader(head, varints);
    varints.read(reader);
    const requestId = varints.read(reader);
    this.#consumer.fetcher.onStream(requestId, stream, reader.rest());
  }

  async #subgroup(stream: ReceiveStream, head: Uint8Array): Promise<void> {
    if (!(await this.#ready())) {
      stream.stop(streamResetCodes.excessiveLoad);
      return;
    }
    const decoder = this.#context.dialect.subgroupDecoder();
    const objects: MoqObject[] = decoder.push(head);
    let bytes = head.length;
    try {
      while (decoder.subgroupId === undefined) {
        const more = await stream.read();
        if (more === null) break;
        bytes += more.length;
        for (const object of decoder.push(more)) objects.push(object);
      }
      if (decoder.subgroupId === undefined) decoder.finish();
    } catch (error) {
      // The header came, so the stream counts (draft-18 10.11), though it has nothing to hand out.
      if (!(error instanceof StreamResetError) || decoder.header === undefined) throw error;
    }
    const subgroup =
      decoder.subgroupId === undefined ? undefined : new SubgroupReader(this.#context, stream, decoder, objects);
    this.#consumer.subscriber.onSubgroup(decoder.header!.trackAlias, subgroup, bytes);
  }

  /** False: too many wait already, or the session ended first. */
  async #ready(): Promise<boolean> {
    if (this.#context.isOpen()) return true;
    if (this.#early >= maxEarly) return false;
    this.#early++;
    const opened = await this.#context.opened;
    this.#early--;
    return opened;
  }
}
