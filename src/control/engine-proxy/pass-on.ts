import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Dispatcher } from 'undici';
import { discardBody, hasBody, http2Stream, RequestBody } from '../listen/request-body.ts';

/** Of one connection, not of the request (RFC 9110 7.6.1), or answered by the server that took the request (`expect`). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);
/** What a body of theirs would mean is not defined (RFC 9110 9.3.1, 9.3.2, 9.3.8): it is not passed on. */
const bodiless = new Set(['GET', 'HEAD', 'TRACE']);
/** Asking twice is asking once (RFC 9110 9.2.1). */
const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A request of which nothing moves in either direction for so long is given up. */
const defaultIdleMs = 120_000;

export type PassOnOptions = {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Set beside the headers of the request, in place of what it has under these names. */
  readonly headers: Record<string, string>;
  /** Default two minutes. */
  readonly idleMs?: number | undefined;
  /** There will be no answer: `invalid` is a request that cannot be put into HTTP/1.1. */
  failed(why: 'invalid' | 'unreachable', reason: string): void;
  /** It is over, answered or not. Called once. */
  over(): void;
};

/**
 * Passes one request on and its answer back, both bodies as they come. The request goes out framed anew, from what the parser made of it, so
 * that both ends of a kept connection agree where it ends; a connection on which anything went otherwise is closed by the dispatcher.
 */
export function passOn(options: PassOnOptions): void {
  const { dispatcher, origin, incoming, outgoing } = options;
  const { method = 'GET', url: path = '/' } = incoming;
  const stream = http2Stream(incoming);
  let controller: Dispatcher.DispatchController | undefined;
  let finished = false;
  const idle = setTimeout(() => breakOff(), options.idleMs ?? defaultIdleMs);
  idle.unref();
  const progress = () => void idle.refresh();

  const finish = () => {
    if (finished) return;
    finished = true;
    clearTimeout(idle);
    outgoing.off('close', leave).off('drain', resume);
    incoming.off('aborted', leave);
    discardBody(incoming);
    options.over();
  };
  /** The client has gone. */
  const leave = () => {
    if (finished) return;
    finish();
    controller?.abort(new Error('the client has gone'));
  };
  /** What of the answer is out cannot be taken back: the client sees that it was cut. */
  const breakOff = () => {
    if (stream !== undefined) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else outgoing.destroy();
    leave();
  };
  const resume = () => {
    progress();
    controller?.resume();
  };
  outgoing.on('close', leave).on('drain', resume);
  // An answer that waits for its turn on a connection with several requests is not told that the connection closed.
  incoming.on('aborted', leave);

  const attempt = (body: RequestBody | null, mayRepeat: boolean) => {
    dispatcher.dispatch(
      { origin, path, method: method as Dispatcher.HttpMethod, body, headers: requestHeaders(options, body !== null) },
      {
        onRequestStart(started) {
          controller = started;
          if (finished) started.abort(new Error('the client has gone'));
        },
        onResponseStart(_, status, headers) {
          if (finished) return;
          progress();
          if (status >= 200) outgoing.writeHead(status, endToEnd(headers));
          else if (status === 104) inform(incoming, outgoing, headers);
        },
        onResponseData(_, chunk) {
          if (finished) return;
          progress();
          if (!outgoing.write(chunk)) controller?.pause();
        },
        onResponseEnd() {
          if (finished) return;
          outgoing.end();
          finish();
        },
        onResponseError(_, error: NodeJS.ErrnoException) {
          if (finished) return;
          if (outgoing.headersSent) return breakOff();
          // The connection was closed at the other end at the moment it was used again.
          if (mayRepeat && safe.has(method) && wasClosed(error)) return attempt(null, false);
          const invalid = error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED';
          finish();
          options.failed(invalid ? 'invalid' : 'unreachable', error.code ?? error.message);
        },
      },
    );
  };
  if (incoming.aborted || outgoing.closed) leave();
  else if (bodiless.has(method) || !hasBody(incoming)) attempt(null, true);
  else {
    // The dispatcher sends the head with the first part of the body. A connection it had taken by then could end meanwhile, being idle.
    const body: RequestBody = new RequestBody(incoming, { begin: () => attempt(body, false), progress });
  }
}

function wasClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function requestHeaders({ incoming, headers: own }: PassOnOptions, withBody: boolean): IncomingHttpHeaders {
  const { headers } = incoming;
  const authority = headers[':authority'];
  const kept = endToEnd(headers);
  if (typeof authority === 'string') kept.host = authority;
  // Without a body nothing is said of its length; the dispatcher frames one whose length the client did not say in chunks.
  if (!withBody) delete kept['content-length'];
  return { ...kept, ...own };
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection } = headers;
  const named = connection === undefined ? [] : connection.split(',').map((name) => name.trim().toLowerCase());
  const kept: IncomingHttpHeaders = {};
  for (const name of Object.keys(headers)) {
    // A colon: what HTTP/2 says instead of a request line.
    if (!name.startsWith(':') && !hopByHop.has(name) && !named.includes(name)) kept[name] = headers[name];
  }
  return kept;
}

/** 104 (Upload Resumption Supported): Node has no call for it. 100 it answers by itself. */
function inform(incoming: IncomingMessage, outgoing: ServerResponse, headers: IncomingHttpHeaders): void {
  if (outgoing.headersSent) return;
  const kept = endToEnd(headers);
  const stream = http2Stream(incoming);
  if (stream !== undefined) {
    if (!stream.closed) stream.additionalHeaders({ ':status': 104, ...kept });
    return;
  }
  if (incoming.httpVersion !== '1.1') return;
  const lines = Object.entries(kept).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => `${name}: ${one}\r\n`),
  );
  // An answer that waits for its turn has no socket yet.
  outgoing.socket?.write(`HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`, 'latin1');
}
