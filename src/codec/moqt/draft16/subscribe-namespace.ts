import type { MessageCodec } from '../control/message-codec.ts';
import type { SubscribeNamespace } from '../control/subscribe-namespace.ts';
import type { SubscribeTracks } from '../control/subscribe-tracks.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { WireWriter } from '../wire.ts';
import { readParameters, writeParameters } from './parameters.ts';

/** Subscribe Options: what is asked for. */
const options = { tracks: 0x00, namespaces: 0x01, both: 0x02 } as const;

type Either = SubscribeNamespace | SubscribeTracks;

function write(writer: WireWriter, message: Either): void {
  const wanted = message.type === 'subscribeTracks' ? options.tracks : options.namespaces;
  writer.varint(message.requestId).namespace(message.prefix).varint(wanted);
  writeParameters(writer, message.parameters);
}

/**
 * draft-16 9.25 SUBSCRIBE_NAMESPACE (0x11), first on a bidirectional stream of its own: what became SUBSCRIBE_NAMESPACE and
 * SUBSCRIBE_TRACKS. Who asks for both is told of the namespaces, and may subscribe to the tracks.
 */
export const subscribeNamespace: MessageCodec<Either> = {
  code: 0x11,
  type: 'subscribeNamespace',
  encode: write,
  decode(reader) {
    const requestId = reader.varint();
    const prefix = reader.namespace();
    const wanted = reader.varint();
    if (wanted > options.both) throw protocolViolation(`Subscribe Options ${wanted}`);
    const type = wanted === options.tracks ? 'subscribeTracks' : 'subscribeNamespace';
    return { type, requestId, prefix, parameters: readParameters(reader, type) };
  },
};

/** Written only: what comes is read by the code point that both share. */
export const subscribeTracks: MessageCodec<Either> = { ...subscribeNamespace, type: 'subscribeTracks' };
