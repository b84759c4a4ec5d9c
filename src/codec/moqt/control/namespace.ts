import { type MessageParameters, readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/**
 * draft-18 10.16 NAMESPACE (0x8): the fields after the prefix that was subscribed to. Parameters are there only in sessions
 * that agreed on hops (draft-lcurley-moq-cluster, Namespace Advertisements).
 */
export type Namespace = {
  readonly type: 'namespace';
  readonly suffix: readonly string[];
  readonly parameters?: MessageParameters;
};

export const namespace: MessageCodec<Namespace> = {
  code: 0x8,
  type: 'namespace',
  encode(writer, message, rules) {
    writer.namespace(message.suffix);
    if (message.parameters !== undefined) writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    const suffix = reader.namespace();
    if (reader.remaining === 0) return { type: 'namespace', suffix };
    return { type: 'namespace', suffix, parameters: readParameters(reader, 'namespace', rules) };
  },
};
