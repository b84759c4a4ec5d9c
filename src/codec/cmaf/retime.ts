import { StreamsError } from '../../core/errors.ts';
import { type Box, needBox, readBoxes } from './boxes.ts';

export type RetimeOptions = {
  /** Added to every decode time, in ticks of the track; negative to move towards 0. */
  offset?: number;
  /** New track id, as `mergeInits` assigned it. */
  trackId?: number;
  /** New mfhd sequence number. */
  sequence?: number;
};

/**
 * A copy of a fragment of one track with tfdt (and prft's media time) moved, and on request another track id and
 * sequence number: how objects of a live broadcast become a file that starts at 0. Throws MALFORMED, or INVALID_ARGUMENT
 * when a time would leave its field.
 */
export function retimeFragment(fragment: Uint8Array, options: RetimeOptions): Uint8Array {
  const bytes = fragment.slice();
  const view = new DataView(bytes.buffer);
  const top = readBoxes(bytes);
  const moof = needBox(top, 'moof');
  const inMoof = readBoxes(moof.payload);
  const traf = needBox(inMoof, 'traf');
  if (inMoof.filter((box) => box.type === 'traf').length > 1)
    throw new StreamsError('UNSUPPORTED', 'a fragment of several tracks');
  const inTraf = readBoxes(traf.payload);
  const tfdt = needBox(inTraf, 'tfdt');
  if (options.offset !== undefined) move(view, tfdt, 4, options.offset);
  for (const prft of top.filter((box) => box.type === 'prft')) {
    if (options.offset !== undefined) move(view, prft, 16, options.offset);
    if (options.trackId !== undefined) view.setUint32(at(prft, 4, 4), options.trackId);
  }
  if (options.trackId !== undefined) view.setUint32(at(needBox(inTraf, 'tfhd'), 4, 4), options.trackId);
  if (options.sequence !== undefined) view.setUint32(at(needBox(inMoof, 'mfhd'), 4, 4), options.sequence);
  return bytes;
}

/** Where a payload byte stands in the whole copy; `length` bytes from it on must lie inside of the box. */
function at(box: Box, offset: number, length: number): number {
  if (box.payload.length < offset + length) throw new StreamsError('MALFORMED', `${box.type} is truncated`);
  return box.payload.byteOffset + offset;
}

function move(view: DataView, box: Box, field: number, offset: number): void {
  const short = box.payload[0] === 0;
  const position = at(box, field, short ? 4 : 8);
  const time = (short ? BigInt(view.getUint32(position)) : view.getBigUint64(position)) + BigInt(Math.round(offset));
  if (time < 0n || (short && time > 0xffff_ffffn))
    throw new StreamsError('INVALID_ARGUMENT', 'decode time out of range after the move');
  if (short) view.setUint32(position, Number(time));
  else view.setBigUint64(position, time);
}
