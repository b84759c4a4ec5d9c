import type { MessageCodec } from './message.ts';

/** draft-lcurley-moq-lite-05, GROUP: frames of a subscription follow. */
export type Group = { readonly subscribeId: number; readonly sequence: number };

export const group: MessageCodec<Group> = {
  name: 'GROUP',
  write: (writer, { subscribeId, sequence }) => void writer.varint(subscribeId).varint(sequence),
  read: (reader) => ({ subscribeId: reader.varint(), sequence: reader.varint() }),
};
