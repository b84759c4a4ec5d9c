import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { MessageCodec } from './message-codec.ts';

const maxUriBytes = 8192;

/** draft-18 10.4 GOAWAY (0x10). `requestId` is there on the control stream only. `timeoutMs` 0: none in particular. */
export type Goaway = {
  readonly type: 'goaway';
  readonly uri: string;
  readonly timeoutMs: number;
  readonly requestId?: number;
};

export const goaway: MessageCodec<Goaway> = {
  code: 0x10,
  type: 'goaway',
  encode(writer, message) {
    writer.lengthPrefixed(utf8(message.uri)).varint(message.timeoutMs);
    if (message.requestId !== undefined) writer.varint(message.requestId);
  },
  decode(reader) {
    const length = reader.varint();
    if (length > maxUriBytes) throw protocolViolation(`GOAWAY URI of ${length} bytes`);
    const uri = fromUtf8(reader.take(length));
    const timeoutMs = reader.bounded();
    if (reader.remaining === 0) return { type: 'goaway', uri, timeoutMs };
    return { type: 'goaway', uri, timeoutMs, requestId: reader.varint() };
  },
};
