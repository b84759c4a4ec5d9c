import { readPath, writePath } from './fields.ts';
import type { MessageCodec } from './message.ts';

/**
 * draft-lcurley-moq-lite-05, ANNOUNCE_REQUEST (-04: ANNOUNCE_SUBSCRIBE). `excludeHop`: announcements that passed this relay
 * are not wanted; 0: all are.
 */
export type AnnounceRequest = { readonly prefix: readonly string[]; readonly excludeHop: bigint };

export const announceRequest: MessageCodec<AnnounceRequest> = {
  name: 'ANNOUNCE_REQUEST',
  write(writer, { prefix, excludeHop }) {
    writePath(writer, prefix);
    writer.varint(excludeHop);
  },
  read: (reader) => ({ prefix: readPath(reader), excludeHop: reader.varintBig() }),
};
