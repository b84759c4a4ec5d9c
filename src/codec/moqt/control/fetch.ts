import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { Location, TrackName } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { MessageCodec } from './message-codec.ts';

/** What to fetch. `end` is the last location plus one object; object 0 means the whole group. */
export type FetchRange =
  | { readonly kind: 'standalone'; readonly track: TrackName; readonly start: Location; readonly end: Location }
  | { readonly kind: 'relativeJoining' | 'absoluteJoining'; readonly joiningRequestId: number; readonly start: number };

/** draft-18 10.12 FETCH (0x16). */
export type Fetch = {
  readonly type: 'fetch';
  readonly requestId: number;
  readonly range: FetchRange;
  readonly parameters: MessageParameters;
};

export const fetch: MessageCodec<Fetch> = {
  code: 0x16,
  type: 'fetch',
  encode(writer, { requestId, range, parameters }, rules) {
    writer.varint(requestId);
    if (range.kind === 'standalone') writer.varint(0x1).track(range.track).location(range.start).location(range.end);
    else
      writer
        .varint(range.kind === 'relativeJoining' ? 0x2 : 0x3)
        .varint(range.joiningRequestId)
        .varint(range.start);
    writeParameters(writer, parameters, rules);
  },
  decode(reader, rules) {
    const requestId = reader.varint();
    const kind = reader.varint();
    let range: FetchRange;
    if (kind === 0x1)
      range = { kind: 'standalone', track: reader.track(), start: reader.location(), end: reader.boundedLocation() };
    else if (kind === 0x2 || kind === 0x3)
      range = {
        kind: kind === 0x2 ? 'relativeJoining' : 'absoluteJoining',
        joiningRequestId: reader.varint(),
        start: reader.varint(),
      };
    else throw protocolViolation(`fetch type 0x${kind.toString(16)}`);
    return { type: 'fetch', requestId, range, parameters: readParameters(reader, 'fetch', rules) };
  },
};
