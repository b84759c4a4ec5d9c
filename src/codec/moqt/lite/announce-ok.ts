import type { MessageCodec } from './message.ts';

/** draft-lcurley-moq-lite-05, ANNOUNCE_OK: the publisher's own hop id (0: unknown), and how many announcements follow at once. */
export type AnnounceOk = { readonly hopId: bigint; readonly activeCount: number };

export const announceOk: MessageCodec<AnnounceOk> = {
  name: 'ANNOUNCE_OK',
  write: (writer, { hopId, activeCount }) => void writer.varint(hopId).varint(activeCount),
  read: (reader) => ({ hopId: reader.varintBig(), activeCount: reader.varint() }),
};
