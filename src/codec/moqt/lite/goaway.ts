import { protocolViolation } from '../moqt-error.ts';
import { readText, writeText } from './fields.ts';
import type { MessageCodec } from './message.ts';

/** As in draft-18 10.4: longer ones are nobody's address. */
const maxUriLength = 8192;

/** draft-lcurley-moq-lite-05, GOAWAY. '' : nowhere else. */
export type Goaway = { readonly uri: string };

export const goaway: MessageCodec<Goaway> = {
  name: 'GOAWAY',
  write: (writer, { uri }) => writeText(writer, uri),
  read(reader) {
    const uri = readText(reader);
    if (uri.length > maxUriLength) throw protocolViolation('GOAWAY with a URI over 8192 bytes');
    return { uri };
  },
};
