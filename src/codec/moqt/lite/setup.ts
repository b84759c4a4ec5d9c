import { utf8 } from '../../../core/bytes.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { textOf } from './fields.ts';
import type { MessageCodec } from './message.ts';

/** How much a publisher says on Probe Streams: nothing, its estimates, or it sends more to find out. */
export type ProbeLevel = 'none' | 'report' | 'increase';

/** draft-lcurley-moq-lite-05, SETUP. */
export type Setup = {
  readonly probe?: ProbeLevel;
  /** Path and query, of clients on raw QUIC. */
  readonly path?: string;
  /** The sender's id in hop lists (defined by -06, sent by released peers in -05 as well); never 0. */
  readonly hopId?: bigint;
};

const parameterTypes = { probe: 1, path: 2, hopId: 5 } as const;
const levels: readonly ProbeLevel[] = ['none', 'report', 'increase'];
const maxParameters = 64;

export const setup: MessageCodec<Setup> = {
  name: 'SETUP',
  write(writer, { probe, path, hopId }) {
    const parameters: [number, Uint8Array][] = [];
    if (probe !== undefined && probe !== 'none')
      parameters.push([parameterTypes.probe, integer(levels.indexOf(probe))]);
    if (path !== undefined) parameters.push([parameterTypes.path, utf8(path)]);
    if (hopId !== undefined) parameters.push([parameterTypes.hopId, integer(hopId)]);
    writer.varint(parameters.length);
    for (const [type, value] of parameters) writer.varint(type).lengthPrefixed(value);
  },
  read(reader) {
    const count = reader.varint();
    if (count > maxParameters) throw protocolViolation(`SETUP with ${count} parameters`);
    const values = new Map<bigint, Uint8Array>();
    for (let i = 0; i < count; i++) {
      const type = reader.varintBig();
      if (values.has(type)) throw protocolViolation(`SETUP parameter ${type} twice`);
      values.set(type, reader.lengthPrefixed());
    }
    const value = (type: number): WireReader | undefined => {
      const bytes = values.get(BigInt(type));
      return bytes && new WireReader(bytes, quicVarints);
    };
    const probe = value(parameterTypes.probe)?.varintBig();
    const path = values.get(BigInt(parameterTypes.path));
    const hopId = value(parameterTypes.hopId)?.varintBig();
    return {
      ...(probe !== undefined && probe !== 0n && { probe: levels[Number(probe < 2n ? probe : 2n)]! }),
      ...(path !== undefined && { path: textOf(path) }),
      ...(hopId !== undefined && hopId !== 0n && { hopId }),
    };
  },
};

function integer(value: number | bigint): Uint8Array {
  return new WireWriter(quicVarints, 8).varint(value).finish();
}
