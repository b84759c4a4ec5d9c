import type { Fetch, FetchRange } from '../control/fetch.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { readTrack } from './track.ts';

const types = { standalone: 0x1, relativeJoining: 0x2, absoluteJoining: 0x3 } as const;

/** draft-16 9.16 FETCH (0x16). */
export const fetch: MessageCodec<Fetch> = {
  code: 0x16,
  type: 'fetch',
  encode(writer, { requestId, range, parameters }) {
    writer.varint(requestId);
    writeRange(writer, range);
    writeParameters(writer, parameters);
  },
  decode: (reader) => ({
    type: 'fetch',
    requestId: reader.varint(),
    range: readRange(reader),
    parameters: readParameters(reader, 'fetch'),
  }),
};

export function writeRange(writer: WireWriter, range: FetchRange): void {
  writer.varint(types[range.kind]);
  if (range.kind === 'standalone') writer.track(range.track).location(range.start).location(range.end);
  else writer.varint(range.joiningRequestId).varint(range.start);
}

export function readRange(reader: WireReader): FetchRange {
  const type = reader.varint();
  switch (type) {
    case types.standalone:
      return { kind: 'standalone', track: readTrack(reader), start: reader.location(), end: reader.boundedLocation() };
    case types.relativeJoining:
    case types.absoluteJoining: {
      const kind = type === types.relativeJoining ? 'relativeJoining' : 'absoluteJoining';
      return { kind, joiningRequestId: reader.varint(), start: reader.varint() };
    }
    default:
      throw protocolViolation(`fetch type 0x${type.toString(16)}`);
  }
}
