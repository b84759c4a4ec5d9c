import { sessionCodes } from '../codec/moqt/codes.ts';
import { dialectOf } from '../codec/moqt/dialects.ts';
import { liteVersion } from '../codec/moqt/lite/version.ts';
import { StreamsError } from '../core/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { LiteSession } from './lite/lite-session.ts';
import { MoqSession } from './moqt/moq-session.ts';
import type { EstablishOptions, Session } from './types.ts';

/**
 * Starts MoQT, or moq-lite, on a transport whose `protocol` names the version (draft-18 3.1); `moq-00`, or none on WebTransport, leaves it to the
 * SETUPs (draft-14 9.3.1). Resolves once both SETUPs were exchanged and, on a
 * server, `authorise` agreed. Rejects with StreamsError, the transport closed: UNSUPPORTED (no such version), UNAUTHORIZED (the
 * server refused; its reason is the message), TIMEOUT, TRANSPORT_CLOSED, PROTOCOL_VIOLATION, or on a server what `authorise` threw.
 */
export async function establish(transport: Transport, options: EstablishOptions): Promise<Session> {
  const lite = liteVersion(transport.protocol);
  if (lite !== undefined) return started(new LiteSession(transport, lite, options));
  const dialect = dialectOf(transport.protocol);
  if (dialect === undefined) {
    transport.close({ code: sessionCodes.versionNegotiationFailed, reason: 'no common MoQT version' });
    throw new StreamsError('UNSUPPORTED', `MoQT version '${transport.protocol}' is not supported`);
  }
  return started(new MoqSession(transport, dialect, options));
}

async function started(session: MoqSession | LiteSession): Promise<Session> {
  await session.establish();
  return session;
}
