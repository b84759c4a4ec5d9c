import type { TrackName } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.20 PUBLISH_BLOCKED (0xF). The namespace of `track` is the suffix after the prefix subscribed to. */
export type PublishBlocked = { readonly type: 'publishBlocked'; readonly track: TrackName };

export const publishBlocked: MessageCodec<PublishBlocked> = {
  code: 0xf,
  type: 'publishBlocked',
  encode(writer, message) {
    writer.track(message.track);
  },
  decode(reader) {
    return { type: 'publishBlocked', track: reader.track() };
  },
};
