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
  const one = message.type === 'subscribeTracks' ? options.tracks : options.namespaces;
  const wanted = 'tracks' in message ? options.both : one;
  writer.varint(message.requestId).namespace(message.prefix).varint(wanted);
  writeParameters(writer, message.parameters);
}

/**
 * draft-16 9.25 SUBSCRIBE_NAMESPACE (0x11), first on a bidirectional stream of its own: what became SUBSCRIBE_NAMESPACE and
 * SUBSCRIBE_TRACKS, or both at once.
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
    const parameters = readParameters(reader, 'subscribeTracks');
    if (wanted === options.tracks) return { type: 'subscribeTracks', requestId, prefix, parameters };
    const both = wanted === options.both ? ({ tracks: true } as const) : {};
    return { type: 'subscribeNamespace', requestId, prefix, ...both, parameters };
  },
};

/** Written only: what comes is read by the code point that both share. */
export const subscribeTracks: MessageCodec<Either> = { ...subscribeNamespace, type: 'subscribeTracks' };
