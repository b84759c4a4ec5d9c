import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { quicVarintLength, quicVarintSize, readQuicCodePoint, writeQuicVarint } from '../quic-varint.ts';
import { defaultMaxRecordBytes, parameterId, qmuxCode } from './code-points.ts';
import { QmuxError } from './qmux-error.ts';

/** Transport parameters an endpoint declares (draft-02 section 5; RFC 9000 18.2). Sizes in bytes, 0 where absent. */
export type QmuxParameters = {
  /** ms; 0: none. */
  maxIdleTimeout: number;
  initialMaxData: number;
  initialMaxStreamDataBidiLocal: number;
  initialMaxStreamDataBidiRemote: number;
  initialMaxStreamDataUni: number;
  initialMaxStreamsBidi: number;
  initialMaxStreamsUni: number;
  /** Of the whole DATAGRAM frame (RFC 9221 section 3); 0: none are taken. */
  maxDatagramFrameSize: number;
  maxRecordSize: number;
};

export const defaultParameters: QmuxParameters = {
  maxIdleTimeout: 0,
  initialMaxData: 0,
  initialMaxStreamDataBidiLocal: 0,
  initialMaxStreamDataBidiRemote: 0,
  initialMaxStreamDataUni: 0,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
  maxDatagramFrameSize: 0,
  maxRecordSize: defaultMaxRecordBytes,
};

const names = Object.keys(parameterId) as (keyof QmuxParameters)[];
const nameOf = new Map(names.map((name) => [parameterId[name], name]));

/** Those of RFC 9000 18.2 that QMux has no use for: draft-02 section 5.1. */
function isForbidden(id: bigint): boolean {
  return id === 0n || id === 2n || id === 3n || (id >= 0x0an && id <= 0x10n);
}

/** Quic varints of any size; only those above 2^53-1 need it. */
export function readLongVarint(reader: ByteReader): bigint {
  const first = reader.bytes[reader.offset];
  if (first === undefined || quicVarintLength(first) < 8) return BigInt(readQuicCodePoint(reader));
  return reader.u64() & 0x3fffffffffffffffn;
}

export function writeLongVarint(writer: ByteWriter, value: bigint): void {
  if (value <= 0x3fffffffn) writeQuicVarint(writer, Number(value));
  else writer.u64(value | 0xc000000000000000n);
}

/** Parameters that have their default value are left out. */
export function encodeParameters(parameters: QmuxParameters): Uint8Array {
  const writer = new ByteWriter();
  for (const name of names) {
    const value = parameters[name];
    if (value === defaultParameters[name]) continue;
    writeLongVarint(writer, parameterId[name]);
    writeQuicVarint(writer, quicVarintSize(value));
    writeQuicVarint(writer, value);
  }
  return writer.finish();
}

/** Unknown ones are skipped. Throws QmuxError (TRANSPORT_PARAMETER_ERROR). */
export function decodeParameters(bytes: Uint8Array): QmuxParameters {
  const reader = new ByteReader(bytes);
  const parameters = { ...defaultParameters };
  const seen = new Set<bigint>();
  try {
    while (reader.remaining > 0) {
      const id = readLongVarint(reader);
      const value = new ByteReader(reader.take(readQuicCodePoint(reader)));
      if (isForbidden(id)) throw refused(`transport parameter 0x${id.toString(16)} is not for QMux`);
      const name = nameOf.get(id as (typeof parameterId)[keyof typeof parameterId]);
      if (name === undefined) continue;
      if (seen.has(id)) throw refused(`transport parameter ${name} twice`);
      seen.add(id);
      parameters[name] = readQuicCodePoint(value);
      if (value.remaining > 0) throw refused(`transport parameter ${name} is no integer`);
    }
  } catch (error) {
    if (error instanceof QmuxError) throw error;
    throw refused('truncated transport parameters');
  }
  if (parameters.maxRecordSize < defaultMaxRecordBytes) throw refused('max_record_size is below its least value');
  // RFC 9000 4.6.
  if (parameters.initialMaxStreamsBidi > 2 ** 60 || parameters.initialMaxStreamsUni > 2 ** 60) {
    throw refused('more streams than there are');
  }
  return parameters;
}

function refused(message: string): QmuxError {
  return new QmuxError(qmuxCode.transportParameterError, message);
}
