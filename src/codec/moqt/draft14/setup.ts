import { sessionCodes } from '../codes.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { readSetup, writeSetup } from '../draft16/setup.ts';
import type { ClientSetup, ServerSetup } from '../draft16/shared-control-message.ts';
import { MoqtError } from '../moqt-error.ts';

/** draft-14 9.3.1: drafts are 0xff000000 and their number. */
const version = 0xff00000e;
/** Nobody speaks more of them. */
const maxVersions = 64;

/** Up to draft-14 the version is agreed on here; of those that share `moq-00`, this is the one that we speak. */
export const clientSetup: MessageCodec<ClientSetup> = {
  code: 0x20,
  type: 'clientSetup',
  encode(writer, message) {
    writer.varint(1).varint(version);
    writeSetup(writer, message, 'absolute');
  },
  decode(reader) {
    const count = reader.varint();
    let found = false;
    for (let i = 0; i < count && i < maxVersions; i++) found = reader.varintBig() === BigInt(version) || found;
    // What follows has the form of the version chosen, and may be garbage in ours.
    if (!found) throw failed(`${count} versions, none of them draft-14`);
    if (count > maxVersions) throw failed(`${count} versions`);
    return { type: 'clientSetup', ...readSetup(reader, 'absolute') };
  },
};

export const serverSetup: MessageCodec<ServerSetup> = {
  code: 0x21,
  type: 'serverSetup',
  encode(writer, message) {
    writer.varint(version);
    writeSetup(writer, message, 'absolute');
  },
  decode(reader) {
    const chosen = reader.varintBig();
    if (chosen !== BigInt(version)) throw failed(`version 0x${chosen.toString(16)}, which was not offered`);
    // The draft gives MOQT_IMPLEMENTATION the number of AUTHORITY (9.3.2.6), which a server may not send.
    const { authority: _, ...setup } = readSetup(reader, 'absolute');
    return { type: 'serverSetup', ...setup };
  },
};

function failed(message: string): MoqtError {
  return new MoqtError(sessionCodes.versionNegotiationFailed, message, { code: 'UNSUPPORTED' });
}
