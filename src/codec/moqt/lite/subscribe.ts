import type { WireReader, WireWriter } from '../wire.ts';
import { readFlag, readOffset, readPath, readText, writeOffset, writePath, writeText } from './fields.ts';
import type { MessageCodec } from './message.ts';

/** What a subscriber may change (draft-lcurley-moq-lite-05, SUBSCRIBE_UPDATE). */
export type SubscribeUpdate = {
  /** 0 … 255, 255 most urgent. */
  readonly priority: number;
  /** Older groups first. */
  readonly ordered: boolean;
  /** ms; how long a group that is not the newest may be under way. */
  readonly maxLatencyMs: number;
  /** undefined: the newest. */
  readonly groupStart: number | undefined;
  /** Inclusive; undefined: open. */
  readonly groupEnd: number | undefined;
};

/** draft-lcurley-moq-lite-05, SUBSCRIBE. */
export type Subscribe = SubscribeUpdate & {
  readonly id: number;
  readonly namespace: readonly string[];
  readonly name: string;
};

export const subscribe: MessageCodec<Subscribe> = {
  name: 'SUBSCRIBE',
  write(writer, value) {
    writer.varint(value.id);
    writePath(writer, value.namespace);
    writeText(writer, value.name);
    writeTerms(writer, value);
  },
  read: (reader) => ({
    id: reader.varint(),
    namespace: readPath(reader),
    name: readText(reader),
    ...readTerms(reader),
  }),
};

export const subscribeUpdate: MessageCodec<SubscribeUpdate> = {
  name: 'SUBSCRIBE_UPDATE',
  write: writeTerms,
  read: readTerms,
};

function writeTerms(writer: WireWriter, value: SubscribeUpdate): void {
  writer
    .priority(value.priority)
    .u8(value.ordered ? 1 : 0)
    .varint(value.maxLatencyMs);
  writeOffset(writer, value.groupStart);
  writeOffset(writer, value.groupEnd);
}

function readTerms(reader: WireReader): SubscribeUpdate {
  return {
    priority: reader.u8(),
    ordered: readFlag(reader),
    maxLatencyMs: reader.varint(),
    groupStart: readOffset(reader),
    groupEnd: readOffset(reader),
  };
}
