import { type Obu, obuType } from './obu.ts';

/** Units that have no place in a sample (AV1-ISOBMFF 2.4), and padding. */
const leftOut = new Set<number>([obuType.temporalDelimiter, obuType.tileList, obuType.padding]);

/** The units of a temporal unit that belong into a sample. */
export function sampleObus(obus: readonly Obu[]): Obu[] {
  return obus.filter((obu) => !leftOut.has(obu.type));
}

/** The sequence header of a temporal unit. */
export function sequenceHeaderOf(obus: readonly Obu[]): Obu | undefined {
  return obus.find((obu) => obu.type === obuType.sequenceHeader);
}

/** True when the first frame is a shown key frame (AV1 5.9.2): decoding can begin here, given the sequence header. */
export function isKeyUnit(obus: readonly Obu[]): boolean {
  const frame = obus.find(({ type }) => type === obuType.frame || type === obuType.frameHeader);
  // show_existing_frame 0, frame_type KEY_FRAME 0, show_frame 1.
  return frame !== undefined && (frame.payload[0] ?? 0xff) >> 4 === 1;
}

/** True when there is a picture in it. */
export function hasFrame(obus: readonly Obu[]): boolean {
  return obus.some(({ type }) => type === obuType.frame || type === obuType.frameHeader);
}
