import { StreamsError } from '../../core/errors.ts';

/** The peer broke HTTP/3: the connection is closed with `http3Code`. */
export class Http3Error extends StreamsError {
  readonly http3Code: number;

  constructor(
    http3Code: number,
    message: string,
    code: 'PROTOCOL_VIOLATION' | 'LIMIT_EXCEEDED' = 'PROTOCOL_VIOLATION',
  ) {
    super(code, message);
    this.name = 'Http3Error';
    this.http3Code = http3Code;
  }
}
