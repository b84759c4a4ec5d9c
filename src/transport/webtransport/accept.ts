import { http3Code } from '../../codec/http3/code-points.ts';
import { Http3Error } from '../../codec/http3/http3-error.ts';
import type { Field } from '../../codec/http3/qpack.ts';
import { decodeStringList, encodeStringList } from '../../codec/http3/string-list.ts';
import { utf8 } from '../../core/bytes.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { transportPriorities } from '../../core/send-order.ts';
import type { BidiStream, Transport } from '../transport.ts';
import { beforeDeadline } from './deadline.ts';
import { Http3Connection } from './http3-connection.ts';
import { closeSoon } from './linger.ts';
import { RequestStream } from './request-stream.ts';
import { WebTransportSession } from './session.ts';

export type AcceptWebTransportOptions = {
  /** Subprotocols we speak; the client's order is the choice. */
  protocols: readonly string[];
  /**
   * Refuse a client that offers none of them; with `ifOffered` only if it offers others, as one that offers nothing may agree on a
   * version within the session. By default nobody is refused: the session has protocol ''.
   */
  requireProtocol?: 'always' | 'ifOffered';
  /** Default 10 000. */
  handshakeTimeoutMs?: number;
};

/** Requests answered before the session's CONNECT; a browser sends none. */
const maxRequests = 16;

/**
 * Server side over a connection with ALPN h3: answers the first WebTransport CONNECT with 200, other requests with 404.
 * The connection is closed when it throws: TIMEOUT, TRANSPORT_CLOSED, INVALID_ARGUMENT (a CONNECT we refuse; the client
 * saw 400 and the reason), or Http3Error (the peer broke HTTP/3).
 */
export async function acceptWebTransport(base: Transport, options: AcceptWebTransportOptions): Promise<Transport> {
  const established = deferred<Transport>();
  let requests = 0;
  let taken = false;
  const connection = new Http3Connection(base, async (stream, firstBytes, sessionId) => {
    if (++requests > maxRequests && !taken) throw new Http3Error(http3Code.excessiveLoad, 'too many requests');
    const message = new RequestStream(stream, firstBytes);
    const headers = await readHeaders(stream, message);
    if (headers === null) return;
    if (!isWebTransport(headers)) return refuse(message, 404, 'this is a WebTransport endpoint');
    if (taken) return message.abort(http3Code.requestRejected);
    taken = true;
    stream.send.setPriority(transportPriorities.control);
    const answer = judge(headers, options);
    if ('refusal' in answer) {
      refuse(message, 400, answer.refusal);
      established.reject(new StreamsError('INVALID_ARGUMENT', `WebTransport request refused: ${answer.refusal}`));
      closeSoon(base);
      return;
    }
    message.sendHeaders(answer.fields);
    established.resolve(new WebTransportSession(connection, message, { role: 'server', sessionId, ...answer }));
  });
  return beforeDeadline(connection, options.handshakeTimeoutMs ?? 10_000, established.promise);
}

/** null when the client gave the request up. */
async function readHeaders(stream: BidiStream, message: RequestStream): Promise<Map<string, string> | null> {
  const headers = await message.headers();
  if (headers === null) stream.send.reset(http3Code.requestCancelled);
  return headers;
}

/** Extended CONNECT (RFC 9220); newer drafts call the protocol webtransport-h3. */
function isWebTransport(headers: Map<string, string>): boolean {
  const protocol = headers.get(':protocol');
  return headers.get(':method') === 'CONNECT' && (protocol === 'webtransport' || protocol === 'webtransport-h3');
}

type Answer = { refusal: string } | { fields: Field[]; protocol: string; path: string; origin?: string };

function judge(headers: Map<string, string>, options: AcceptWebTransportOptions): Answer {
  const path = headers.get(':path');
  if (headers.get(':scheme') !== 'https') return { refusal: ':scheme must be https' };
  if (!headers.get(':authority')) return { refusal: ':authority is missing' };
  if (path === undefined || !path.startsWith('/')) return { refusal: ':path must begin with /' };
  let offered: string[];
  try {
    offered = decodeStringList(headers.get('wt-available-protocols') ?? '');
  } catch {
    return { refusal: 'wt-available-protocols is no list of strings' };
  }
  // A client lists what it likes best first, and knows what it does well.
  const protocol = offered.find((name) => options.protocols.includes(name)) ?? '';
  const isRequired = options.requireProtocol === 'always' || (options.requireProtocol && offered.length > 0);
  if (protocol === '' && isRequired) {
    return { refusal: `wt-available-protocols must hold one of ${encodeStringList(options.protocols)}` };
  }
  const fields: Field[] = [[':status', '200']];
  if (headers.has('sec-webtransport-http3-draft02')) fields.push(['sec-webtransport-http3-draft', 'draft02']);
  if (protocol !== '') fields.push(['wt-protocol', encodeStringList([protocol])]);
  const origin = headers.get('origin');
  return { fields, protocol, path, ...(origin !== undefined && { origin }) };
}

function refuse(message: RequestStream, status: 400 | 404, reason: string): void {
  message.sendHeaders([
    [':status', String(status)],
    ['content-type', 'text/plain'],
  ]);
  message.sendData(utf8(`${reason}\n`));
  message.finish();
  message.stop(http3Code.noError);
}
