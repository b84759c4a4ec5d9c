import type { ErrorCode } from '../../core/errors.ts';
import { StreamsError } from '../../core/errors.ts';
import { sessionCodes } from './codes.ts';

/** Bytes that break a rule of the draft. `sessionCode` is the code the session has to be closed with. */
export class MoqtError extends StreamsError {
  readonly sessionCode: number;

  constructor(sessionCode: number, message: string, options: { code?: ErrorCode; cause?: unknown } = {}) {
    super(options.code ?? 'PROTOCOL_VIOLATION', message, { cause: options.cause });
    this.name = 'MoqtError';
    this.sessionCode = sessionCode;
  }
}

export function protocolViolation(message: string, cause?: unknown): MoqtError {
  return new MoqtError(sessionCodes.protocolViolation, message, { cause });
}

/** A bound of ours, not of the draft: the session ends with INTERNAL_ERROR, as the draft has no code for it. */
export function limitExceeded(message: string): MoqtError {
  return new MoqtError(sessionCodes.internalError, message, { code: 'LIMIT_EXCEEDED' });
}
