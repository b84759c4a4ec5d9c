import { readPath, readText, writePath, writeText } from './fields.ts';
import type { MessageCodec } from './message.ts';

/** draft-lcurley-moq-lite-05, FETCH: one whole group. `priority`: 255 most urgent. Frames follow on the same stream. */
export type Fetch = {
  readonly namespace: readonly string[];
  readonly name: string;
  readonly priority: number;
  readonly group: number;
};

export const fetch: MessageCodec<Fetch> = {
  name: 'FETCH',
  write(writer, { namespace, name, priority, group }) {
    writePath(writer, namespace);
    writeText(writer, name);
    writer.priority(priority).varint(group);
  },
  read: (reader) => ({
    namespace: readPath(reader),
    name: readText(reader),
    priority: reader.u8(),
    group: reader.varint(),
  }),
};
