import { http3Code } from '../../codec/http3/code-points.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import type { Field } from '../../codec/http3/qpack.ts';
import { acceptsWebTransport } from '../../codec/http3/settings.ts';
import { decodeStringList, encodeStringList } from '../../codec/http3/string-list.ts';
import { emptyBytes, fromUtf8 } from '../../core/bytes.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { StreamsError } from '../../core/errors.ts';
import { transportPriorities } from '../../core/send-order.ts';
import type { Transport } from '../transport.ts';
import { beforeDeadline } from './deadline.ts';
import { Http3Connection } from './http3-connection.ts';
import { RequestStream } from './request-stream.ts';
import { WebTransportSession } from './session.ts';

export type ConnectWebTransportOptions = {
  /** `host:port`. */
  authority: string;
  /** Path and query, beginning with `/`. */
  path: string;
  /** Subprotocols in our preference; the server's choice is `Transport.protocol`, '' when it made none. */
  protocols: string[];
  origin?: string;
  /** Default 10 000. */
  handshakeTimeoutMs?: number;
};

/**
 * Client side over a connection with ALPN h3. The connection is closed when it throws: UNSUPPORTED (no WebTransport
 * there), UNAUTHORIZED, FORBIDDEN, NOT_FOUND, RATE_LIMITED or RELAY_UNREACHABLE (by the status of the answer), TIMEOUT,
 * TRANSPORT_CLOSED, PROTOCOL_VIOLATION.
 */
export async function connectWebTransport(base: Transport, options: ConnectWebTransportOptions): Promise<Transport> {
  const connection = new Http3Connection(base);
  try {
    return await beforeDeadline(connection, options.handshakeTimeoutMs ?? 10_000, handshake(connection, options));
  } catch (error) {
    if (error instanceof Http3Error) connection.fail(error);
    else base.close({ code: http3Code.noError, reason: '' });
    throw error;
  }
}

async function handshake(connection: Http3Connection, options: ConnectWebTransportOptions): Promise<Transport> {
  const settings = await connection.settings;
  if (!acceptsWebTransport(settings)) {
    throw new StreamsError('UNSUPPORTED', `${options.authority} speaks HTTP/3 but not WebTransport`);
  }
  // The first bidirectional stream of this connection: its id, and the session's, is 0.
  const connect = new RequestStream(connection.base.openBidi({ priority: transportPriorities.control }), emptyBytes);
  connect.sendHeaders(requestFields(options));
  for (;;) {
    const headers = await connect.headers();
    const status = Number(headers?.get(':status') ?? 0);
    if (headers === null || status === 0) throw new Http3Error(http3Code.messageError, 'an answer without status');
    if (status >= 100 && status < 200) continue;
    if (status < 200 || status > 299) throw await refusal(connect, status);
    const protocol = chosen(headers.get('wt-protocol'), options.protocols);
    return new WebTransportSession(connection, connect, { role: 'client', sessionId: 0, protocol, path: options.path });
  }
}

function requestFields({ authority, path, protocols, origin }: ConnectWebTransportOptions): Field[] {
  const fields: Field[] = [
    [':method', 'CONNECT'],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', path],
    [':protocol', 'webtransport'],
    ['sec-webtransport-http3-draft02', '1'],
  ];
  if (origin !== undefined) fields.push(['origin', origin]);
  if (protocols.length > 0) fields.push(['wt-available-protocols', encodeStringList(protocols)]);
  return fields;
}

function chosen(field: string | undefined, offered: string[]): string {
  if (field === undefined) return '';
  const [protocol] = decodeStringList(field);
  if (protocol === undefined || !offered.includes(protocol)) {
    throw new StreamsError('PROTOCOL_VIOLATION', 'the server chose a subprotocol nobody offered');
  }
  return protocol;
}

const refusalCodes = new Map<number, ErrorCode>([
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [429, 'RATE_LIMITED'],
]);

async function refusal(connect: RequestStream, status: number): Promise<StreamsError> {
  const body = await connect.next().catch(() => null);
  const text =
    body?.type === 'data'
      ? fromUtf8(body.bytes.subarray(0, 300))
          .replace(/[^\x20-\x7e]+/g, ' ')
          .trim()
      : '';
  const why = text === '' ? '' : `: ${text}`;
  return new StreamsError(refusalCodes.get(status) ?? 'RELAY_UNREACHABLE', `the relay answered ${status}${why}`);
}
