/** Packet sequence numbers are 31 bits and wrap (draft-sharabayko-srt-01 3.1). */
const modulus = 2 ** 31;

export function addSequence(sequence: number, steps: number): number {
  return (sequence + steps + modulus) % modulus;
}

/** Steps from `from` to `to` the short way round: negative when `to` is older. */
export function sequenceDistance(from: number, to: number): number {
  // The 31-bit difference, its sign bit moved to where JavaScript looks for it.
  return ((to - from) << 1) >> 1;
}
