import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.17 NAMESPACE_DONE (0xE). */
export type NamespaceDone = { readonly type: 'namespaceDone'; readonly suffix: readonly string[] };

export const namespaceDone: MessageCodec<NamespaceDone> = {
  code: 0xe,
  type: 'namespaceDone',
  encode(writer, message) {
    writer.namespace(message.suffix);
  },
  decode(reader) {
    return { type: 'namespaceDone', suffix: reader.namespace() };
  },
};
