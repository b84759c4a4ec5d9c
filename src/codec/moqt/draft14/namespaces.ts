import { StreamsError } from '../../../core/errors.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import type { PublishNamespace } from '../control/publish-namespace.ts';
import type { SubscribeNamespace } from '../control/subscribe-namespace.ts';
import type { SubscribeTracks } from '../control/subscribe-tracks.ts';
import type {
  PublishNamespaceCancel,
  PublishNamespaceDone,
  UnsubscribeNamespace,
} from '../draft16/shared-control-message.ts';
import { readNamespace } from '../draft16/track.ts';
import type { WireReader } from '../wire.ts';
import { fromRequestErrorCode, toRequestErrorCode } from './error-codes.ts';
import { readParameters, writeTokens } from './parameters.ts';

/** Messages that later name a request name a namespace here. Throws INTERNAL: who sends it knows. */
function named(message: { readonly type: string; readonly namespace?: readonly string[] }): readonly string[] {
  if (message.namespace === undefined) throw new StreamsError('INTERNAL', `${message.type} without a namespace`);
  return message.namespace;
}

function readTokens(reader: WireReader): { authorizationTokens?: readonly Uint8Array[] } {
  const { authorizationTokens } = readParameters(reader);
  return authorizationTokens === undefined ? {} : { authorizationTokens };
}

/** draft-14 9.23 PUBLISH_NAMESPACE (0x6). */
export const publishNamespace: MessageCodec<PublishNamespace> = {
  code: 0x06,
  type: 'publishNamespace',
  encode(writer, message) {
    writer.varint(message.requestId).namespace(message.namespace);
    writeTokens(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'publishNamespace',
    requestId: reader.varint(),
    namespace: readNamespace(reader),
    parameters: readTokens(reader),
  }),
};

/** draft-14 9.26 PUBLISH_NAMESPACE_DONE (0x9). */
export const publishNamespaceDone: MessageCodec<PublishNamespaceDone> = {
  code: 0x09,
  type: 'publishNamespaceDone',
  encode: (writer, message) => void writer.namespace(named(message)),
  decode: (reader) => ({ type: 'publishNamespaceDone', namespace: readNamespace(reader) }),
};

/** draft-14 9.27 PUBLISH_NAMESPACE_CANCEL (0xC). */
export const publishNamespaceCancel: MessageCodec<PublishNamespaceCancel> = {
  code: 0x0c,
  type: 'publishNamespaceCancel',
  encode(writer, message) {
    writer
      .namespace(named(message))
      .varint(toRequestErrorCode('publishNamespace', message.code))
      .reason(message.reason);
  },
  decode: (reader) => ({
    type: 'publishNamespaceCancel',
    namespace: readNamespace(reader),
    code: fromRequestErrorCode('publishNamespace', reader.varint()),
    reason: reader.reason(),
  }),
};

type Either = SubscribeNamespace | SubscribeTracks;

/**
 * draft-14 9.28 SUBSCRIBE_NAMESPACE (0x11): what became SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS, always both. The draft
 * wants a prefix of one field or more; some ask for everything with none.
 */
export const subscribeNamespace: MessageCodec<Either> = {
  code: 0x11,
  type: 'subscribeNamespace',
  encode(writer, message) {
    writer.varint(message.requestId).namespace(message.prefix);
    writeTokens(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'subscribeNamespace',
    requestId: reader.varint(),
    prefix: reader.namespace(),
    tracks: true,
    parameters: readTokens(reader),
  }),
};

/** draft-14 9.31 UNSUBSCRIBE_NAMESPACE (0x14). */
export const unsubscribeNamespace: MessageCodec<UnsubscribeNamespace> = {
  code: 0x14,
  type: 'unsubscribeNamespace',
  encode: (writer, message) => void writer.namespace(message.prefix),
  decode: (reader) => ({ type: 'unsubscribeNamespace', prefix: reader.namespace() }),
};
