import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import { StreamResetError } from '../transport/stream-reset-error.ts';

/** A code of draft-18 (3.3.3), which is what everything above a session speaks, as this version has it. */
export function wireResetCode({ resetCodes }: Pick<ObjectDialect, 'resetCodes'>, code: number): number {
  return resetCodes === undefined ? code : resetCodes.toWire(code);
}

/** What a data stream was read with, its reset code in the words of draft-18. */
export async function readingData<T>(
  { resetCodes }: Pick<ObjectDialect, 'resetCodes'>,
  reading: Promise<T>,
): Promise<T> {
  if (resetCodes === undefined) return reading;
  try {
    return await reading;
  } catch (error) {
    throw error instanceof StreamResetError ? new StreamResetError(resetCodes.fromWire(error.resetCode)) : error;
  }
}
