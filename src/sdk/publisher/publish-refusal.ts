import { sessionCodes } from '../../codec/moqt/codes.ts';
import { StreamsError } from '../../core/errors.ts';
import type { TransportClose } from '../../transport/transport.ts';
import { refusalWords } from '../connect/refusal-words.ts';

/** Why a relay does not let a publisher in, or on; undefined when the session ended for another reason. */
export function publishRefusal({ by, code, reason }: TransportClose): StreamsError | undefined {
  if (by !== 'peer') return undefined;
  const why = refusalWords(reason);
  switch (code) {
    case sessionCodes.unauthorized:
    case sessionCodes.expiredAuthToken:
    case sessionCodes.malformedAuthToken:
      return new StreamsError('UNAUTHORIZED', why === '' ? 'the relay refused the stream key' : why);
    case sessionCodes.invalidPath:
      return new StreamsError('NOT_FOUND', why === '' ? 'there is nothing to publish to at this path' : why);
    default:
      return undefined;
  }
}
