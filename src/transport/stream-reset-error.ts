import { StreamsError } from '../core/errors.ts';

/** The peer sent RESET_STREAM. */
export class StreamResetError extends StreamsError {
  readonly resetCode: number;

  constructor(resetCode: number) {
    super('STREAM_RESET', `stream reset by the peer with code 0x${resetCode.toString(16)}`);
    this.name = 'StreamResetError';
    this.resetCode = resetCode;
  }
}
