import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import type { Goaway } from '../control/goaway.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { protocolViolation } from '../moqt-error.ts';

const maxUriBytes = 8192;

/** draft-16 9.4 GOAWAY (0x10): a URI only, no timeout and no request id. */
export const goaway: MessageCodec<Goaway> = {
  code: 0x10,
  type: 'goaway',
  encode(writer, message) {
    writer.lengthPrefixed(utf8(message.uri));
  },
  decode(reader) {
    const length = reader.varint();
    if (length > maxUriBytes) throw protocolViolation(`GOAWAY URI of ${length} bytes`);
    return { type: 'goaway', uri: fromUtf8(reader.take(length)), timeoutMs: 0 };
  },
};
