import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.16 NAMESPACE (0x8): the fields after the prefix that was subscribed to. */
export type Namespace = { readonly type: 'namespace'; readonly suffix: readonly string[] };

export const namespace: MessageCodec<Namespace> = {
  code: 0x8,
  type: 'namespace',
  encode(writer, message) {
    writer.namespace(message.suffix);
  },
  decode(reader) {
    return { type: 'namespace', suffix: reader.namespace() };
  },
};
