import { StreamsError } from '../../core/errors.ts';

/** The peer broke QMux: the connection is closed with CONNECTION_CLOSE of `closeCode` (RFC 9000 20.1). */
export class QmuxError extends StreamsError {
  readonly closeCode: number;

  constructor(
    closeCode: number,
    message: string,
    code: 'PROTOCOL_VIOLATION' | 'LIMIT_EXCEEDED' | 'MALFORMED' = 'PROTOCOL_VIOLATION',
  ) {
    super(code, message);
    this.name = 'QmuxError';
    this.closeCode = closeCode;
  }
}
