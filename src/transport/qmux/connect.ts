import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { defaultMaxRecordBytes } from '../../codec/qmux/code-points.ts';
import { applicationProtocol, offeredSubprotocols } from '../../codec/qmux/subprotocol.ts';
import { StreamsError } from '../../core/errors.ts';
import { redactUrl } from '../../core/log.ts';
import type { Transport } from '../transport.ts';
import { greetedTransport } from './greeted.ts';
import type { QmuxLimits } from './limits.ts';
import { QmuxTransport } from './qmux-transport.ts';
import { WsSocket } from './ws-socket.ts';

export type ConnectQmuxOptions = {
  /** `ws:` or `wss:`, with path and query. */
  url: string;
  /** MoQT versions, best first. */
  versions: readonly string[];
  signal?: AbortSignal;
  /** For the whole of it; default 10 000. */
  timeoutMs?: number;
  /** PEM of the certificates to trust on `wss:` instead of the system's. */
  caPem?: string;
  /** Trust any certificate on `wss:`. */
  insecure?: boolean;
  limits?: QmuxLimits;
};

const maxRefusalBytes = 4096;

/**
 * QMux over WebSocket from Node. Throws INVALID_ARGUMENT, RELAY_UNREACHABLE, TIMEOUT, INTERRUPTED, PROTOCOL_VIOLATION, and
 * for an HTTP refusal UNAUTHORIZED, NOT_FOUND, RATE_LIMITED or UNSUPPORTED with what the relay said.
 */
export async function connectQmux(options: ConnectQmuxOptions): Promise<Transport> {
  const { url, versions, signal, timeoutMs = 10_000 } = options;
  const shown = redactUrl(url);
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^wss?:$/.test(target.protocol)) {
    throw new StreamsError('INVALID_ARGUMENT', `not a WebSocket URL: ${shown}`);
  }
  if (signal?.aborted) throw new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`);
  const socket = new WebSocket(target, offeredSubprotocols(versions), {
    perMessageDeflate: false,
    autoPong: false,
    followRedirects: false,
    maxPayload: defaultMaxRecordBytes * 4,
    ...(options.caPem !== undefined && { ca: options.caPem }),
    ...(options.insecure === true && { rejectUnauthorized: false }),
  });
  return greetedTransport({
    shown,
    timeoutMs,
    ...(signal !== undefined && { signal }),
    open: (resolve, reject) => {
      socket.on('error', (cause) =>
        reject(
          new StreamsError('RELAY_UNREACHABLE', `cannot reach the relay at ${shown}: ${cause.message}`, { cause }),
        ),
      );
      socket.on('unexpected-response', (_request, response) => {
        void refusalOf(response, shown).then(reject);
      });
      socket.on('open', () =>
        resolve(
          new QmuxTransport(new WsSocket(socket), {
            role: 'client',
            protocol: applicationProtocol(socket.protocol),
            path: target.pathname + target.search,
            remoteAddress: target.host,
            ...(options.limits !== undefined && { limits: options.limits }),
          }),
        ),
      );
    },
    abandon: () => socket.terminate(),
  });
}

/** What the relay said instead of 101. */
async function refusalOf(response: IncomingMessage, shown: string): Promise<StreamsError> {
  const { statusCode: status = 0 } = response;
  let said = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      said += part;
      if (said.length > maxRefusalBytes) break;
    }
  } catch {
    // The status is enough.
  }
  const message = `the relay at ${shown} refused with HTTP ${status}: ${said.slice(0, maxRefusalBytes).trim()}`;
  if (status === 401 || status === 403) return new StreamsError('UNAUTHORIZED', message);
  if (status === 404) return new StreamsError('NOT_FOUND', message);
  if (status === 429 || status === 503) return new StreamsError('RATE_LIMITED', message);
  return new StreamsError('UNSUPPORTED', message);
}
