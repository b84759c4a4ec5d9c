import { protocolViolation } from '../moqt-error.ts';
import { readHops, readPath, writeHops, writePath } from './fields.ts';
import type { MessageCodec } from './message.ts';
import { hasTrackInfo } from './version.ts';

/**
 * draft-lcurley-moq-lite-05, ANNOUNCE_BROADCAST (-04: ANNOUNCE). Before the suffix comes the prefix that was asked for. Hops:
 * origin first; in -05 without the publisher itself, which ANNOUNCE_OK names.
 */
export type AnnounceBroadcast = {
  readonly active: boolean;
  readonly suffix: readonly string[];
  readonly hops: readonly bigint[];
};

const statuses = { ended: 0, active: 1, restart: 2 } as const;

export const announceBroadcast: MessageCodec<AnnounceBroadcast> = {
  name: 'ANNOUNCE_BROADCAST',
  write(writer, { active, suffix, hops }) {
    writer.varint(active ? statuses.active : statuses.ended);
    writePath(writer, suffix);
    writeHops(writer, hops);
  },
  read(reader, version) {
    const status = reader.varint();
    // Released peers read `restart` in -05: what `active` says a second time.
    const active = status === statuses.active || (status === statuses.restart && hasTrackInfo(version));
    if (!active && status !== statuses.ended) throw protocolViolation(`announce status ${status}`);
    return { active, suffix: readPath(reader), hops: readHops(reader) };
  },
};
