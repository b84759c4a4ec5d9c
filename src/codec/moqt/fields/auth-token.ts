import { MoqtError, protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { keyValueError } from './key-value-pairs.ts';

/** draft-18 10.2.2. Type 0 is agreed on elsewhere. The value is a secret. */
export type AuthToken = { readonly type: number; readonly value: Uint8Array };

/** The Token structure: what the AUTHORIZATION TOKEN parameter and setup option hold. */
export type WireAuthToken =
  | { readonly kind: 'delete'; readonly alias: number }
  | { readonly kind: 'register'; readonly alias: number; readonly token: AuthToken }
  | { readonly kind: 'useAlias'; readonly alias: number }
  | { readonly kind: 'useValue'; readonly token: AuthToken };

const aliasTypes = { delete: 0x0, register: 0x1, useAlias: 0x2, useValue: 0x3 } as const;

/** Throws MoqtError KEY_VALUE_FORMATTING_ERROR for what cannot be decoded. */
export function decodeAuthToken(varints: Varints, bytes: Uint8Array): WireAuthToken {
  try {
    const reader = new WireReader(bytes, varints);
    const token = read(reader, reader.varint());
    if (reader.remaining > 0) throw keyValueError('bytes behind an authorization token');
    return token;
  } catch (error) {
    if (error instanceof MoqtError && error.sessionCode !== protocolViolation('').sessionCode) throw error;
    throw keyValueError('an authorization token that cannot be decoded');
  }
}

function read(reader: WireReader, aliasType: number): WireAuthToken {
  switch (aliasType) {
    case aliasTypes.delete:
      return { kind: 'delete', alias: reader.varint() };
    case aliasTypes.register:
      return {
        kind: 'register',
        alias: reader.varint(),
        token: { type: reader.varint(), value: reader.rest().slice() },
      };
    case aliasTypes.useAlias:
      return { kind: 'useAlias', alias: reader.varint() };
    case aliasTypes.useValue:
      return { kind: 'useValue', token: { type: reader.varint(), value: reader.rest().slice() } };
    default:
      throw keyValueError(`authorization token alias type 0x${aliasType.toString(16)}`);
  }
}

export function encodeAuthToken(varints: Varints, token: WireAuthToken): Uint8Array {
  const writer = new WireWriter(varints).varint(aliasTypes[token.kind]);
  if (token.kind !== 'useValue') writer.varint(token.alias);
  if (token.kind === 'useValue' || token.kind === 'register') writer.varint(token.token.type).bytes(token.token.value);
  return writer.finish();
}
