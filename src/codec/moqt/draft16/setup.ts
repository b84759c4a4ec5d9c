import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { setupOptionTypes } from '../control/setup.ts';
import { type KeyValuePair, readKeyValuePairs, type TypeForm, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import { protocolViolation } from '../moqt-error.ts';
import { boundedInteger, type WireReader, type WireWriter } from '../wire.ts';
import type { ClientSetup, ServerSetup, SetupFields } from './shared-control-message.ts';

/** draft-16 9.3.1: those of draft-18, and MAX_REQUEST_ID. */
const types = { ...setupOptionTypes, maxRequestId: 0x02 } as const;

export const clientSetup: MessageCodec<ClientSetup> = {
  code: 0x20,
  type: 'clientSetup',
  encode: (writer, message) => writeSetup(writer, message, 'delta'),
  decode: (reader) => ({ type: 'clientSetup', ...readSetup(reader, 'delta') }),
};

export const serverSetup: MessageCodec<ServerSetup> = {
  code: 0x21,
  type: 'serverSetup',
  encode: (writer, message) => writeSetup(writer, message, 'delta'),
  decode: (reader) => ({ type: 'serverSetup', ...readSetup(reader, 'delta') }),
};

export function writeSetup(writer: WireWriter, setup: SetupFields, form: TypeForm): void {
  const pairs: KeyValuePair[] = [];
  const text = (type: number, value: string | undefined) => {
    if (value !== undefined) pairs.push({ type, value: utf8(value) });
  };
  const integer = (type: number, value: number | undefined) => {
    if (value !== undefined) pairs.push({ type, value: BigInt(value) });
  };
  text(types.path, setup.path);
  integer(types.maxRequestId, setup.maxRequestId);
  for (const value of setup.authorizationTokens ?? []) pairs.push({ type: types.authorizationToken, value });
  integer(types.maxAuthTokenCacheSize, setup.maxAuthTokenCacheSize);
  text(types.authority, setup.authority);
  text(types.implementation, setup.implementation);
  writer.varint(pairs.length);
  writeKeyValuePairs(writer, pairs, form);
}

/** Parameters that are not known are ignored, and may repeat. */
export function readSetup(reader: WireReader, form: TypeForm): SetupFields {
  const setup: { -readonly [K in keyof SetupFields]: SetupFields[K] } = {};
  const once = <K extends keyof SetupFields>(name: K, value: NonNullable<SetupFields[K]>) => {
    if (setup[name] !== undefined) throw protocolViolation(`setup parameter ${name} twice`);
    setup[name] = value;
  };
  for (const { type, value } of readKeyValuePairs(reader, reader.varint(), form)) {
    if (typeof value === 'bigint') {
      if (type === types.maxRequestId) {
        once('maxRequestId', boundedInteger(value));
      } else if (type === types.maxAuthTokenCacheSize) {
        once('maxAuthTokenCacheSize', boundedInteger(value));
      }
    } else if (type === types.path) once('path', fromUtf8(value));
    else if (type === types.authority) once('authority', fromUtf8(value));
    else if (type === types.implementation) once('implementation', fromUtf8(value));
    else if (type === types.authorizationToken) {
      setup.authorizationTokens = [...(setup.authorizationTokens ?? []), value];
    }
  }
  return setup;
}
