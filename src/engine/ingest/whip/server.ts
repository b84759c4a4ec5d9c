import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readPublishOffer } from '../../../codec/sdp/publish-offer.ts';
import { attributes, parseSdp } from '../../../codec/sdp/sdp.ts';
import { parseTrickleFragment } from '../../../codec/sdp/trickle-fragment.ts';
import type { Authorise } from '../../../contract/publish-grant.ts';
import { fromUtf8Strict } from '../../../core/bytes.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { HttpError } from '../../../core/http-status.ts';
import { isId } from '../../../core/ids.ts';
import type { Logger } from '../../../core/log.ts';
import type { Channels } from '../../channels.ts';
import type { WhipNetwork } from './peer.ts';
import { problem } from './problem.ts';
import { WhipSession } from './session.ts';

export type WhipServerOptions = {
  readonly network: WhipNetwork;
  readonly authorise: Authorise;
  readonly publish: Channels['publish'];
  readonly logger: Logger;
  /** Default 256. */
  readonly maxSessions?: number;
  /** From the answer to a connection, and without media; ms, see WhipSession. */
  readonly connectMs?: number;
  readonly silenceMs?: number;
};

type Open = { session: WhipSession; inputId: string; keyHash: Uint8Array; etag: string; usernameFragments: string[] };

const maxBodyBytes = 64 * 1024;
const maxDrainedBytes = 4 << 20;
const bodyTimeoutMs = 10_000;
/** A publisher that was not heard for so long gives way to the next one. */
const givesWayMs = 2000;
const hint = 'send Authorization: Bearer <stream key>';

/** CORS for pages of any origin: what opens an input is its key, never a cookie. */
const cors = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Location, ETag, Link, Accept-Patch, Retry-After, WWW-Authenticate',
};
const preflight = {
  'access-control-allow-methods': 'POST, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, If-Match',
  'access-control-max-age': '86400',
  'accept-post': 'application/sdp',
};

/** WHIP (RFC 9725): `/whip/<input>` takes offers, `/whip/<input>/<session>` candidates and goodbyes. */
export class WhipServer {
  readonly #options: WhipServerOptions;
  readonly #sessions = new Map<string, Open>();
  /** One after the other: two that look for a free port at once could find the same. */
  #opening: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(options: WhipServerOptions) {
    this.#options = options;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Never rejects. */
  async handle(request: Request, remoteAddress: string): Promise<Response> {
    try {
      const [, , inputId = '', sessionId, ...rest] = new URL(request.url).pathname.split('/');
      if (!isId('lv', inputId) || rest.length > 0)
        throw new StreamsError('NOT_FOUND', 'the path is not /whip/<input id>');
      if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { ...cors, ...preflight } });
      if (sessionId === undefined) return await this.#publish(request, inputId, remoteAddress);
      return await this.#change(request, inputId, sessionId);
    } catch (error) {
      return problem(toStreamsError(error), cors);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { session } of this.#sessions.values()) session.close(true, 'the engine is shutting down');
  }

  async #publish(request: Request, inputId: string, remoteAddress: string): Promise<Response> {
    if (request.method !== 'POST') throw new HttpError(405, 'UNSUPPORTED', 'offers are made here with POST');
    const streamKey = keyOf(request);
    if (!hasType(request, 'application/sdp'))
      throw new HttpError(415, 'UNSUPPORTED', 'an offer is application/sdp', {
        hint: 'send Content-Type: application/sdp',
      });
    const { authorise, logger, maxSessions = 256 } = this.#options;
    const text = await readText(request);
    const grant = await authorise({ kind: 'publish', inputId, streamKey, ingest: 'whip', remoteAddress });
    try {
      const offer = readPublishOffer(text);
      if (this.#sessions.size + this.#waiting >= maxSessions)
        throw new HttpError(503, 'LIMIT_EXCEEDED', 'too many WHIP sessions');
      this.#makeRoom(inputId);
      const id = randomBytes(16).toString('base64url');
      const session = await this.#open({
        ...this.#options,
        inputId,
        offer,
        remoteAddress,
        publish: (publisher) => this.#options.publish(grant, streamKey, publisher),
        closed: () => void this.#sessions.delete(id),
      });
      if (this.#closed) {
        session.close(true, 'the engine is shutting down');
        throw new HttpError(503, 'INTERRUPTED', 'the media engine is shutting down');
      }
      const etag = `"${randomBytes(9).toString('base64url')}"`;
      const sdp = parseSdp(offer.sdp);
      const usernameFragments = sdp.media.flatMap((section) => attributes(section, 'ice-ufrag'));
      this.#sessions.set(id, { session, inputId, keyHash: hashOf(streamKey), etag, usernameFragments });
      return new Response(session.answer, {
        status: 201,
        headers: {
          ...cors,
          'content-type': 'application/sdp',
          'cache-control': 'no-store',
          'accept-patch': 'application/trickle-ice-sdpfrag',
          location: `/whip/${inputId}/${id}`,
          etag,
        },
      });
    } catch (error) {
      const { code, message } = toStreamsError(error);
      logger.warn('WHIP offer refused', { inputId, code, reason: message, remoteAddress });
      throw error;
    }
  }

  /** A sender that is alive keeps its input; one that fell silent is let go. */
  #makeRoom(inputId: string): void {
    const before = [...this.#sessions.values()].filter((open) => open.inputId === inputId);
    if (before.some(({ session }) => session.silentMs < givesWayMs))
      throw new StreamsError('CONFLICT', 'the input has a publisher already', {
        hint: 'end the other session, or wait two seconds after its last packet',
      });
    for (const { session } of before) session.close(false, 'another publisher with the right key took over');
  }

  async #open(options: Parameters<typeof WhipSession.open>[0]): Promise<WhipSession> {
    this.#waiting++;
    const opened = this.#opening.then(() => WhipSession.open(options));
    this.#opening = opened.catch(() => undefined);
    return opened.finally(() => this.#waiting--);
  }

  async #change(request: Request, inputId: string, sessionId: string): Promise<Response> {
    if (request.method !== 'PATCH' && request.method !== 'DELETE')
      throw new HttpError(405, 'UNSUPPORTED', 'a session is changed with PATCH and ended with DELETE');
    const hash = hashOf(keyOf(request));
    const open = this.#sessions.get(sessionId);
    if (open === undefined || open.inputId !== inputId) throw new StreamsError('NOT_FOUND', 'no such WHIP session');
    if (!timingSafeEqual(hash, open.keyHash)) throw new StreamsError('UNAUTHORIZED', 'wrong stream key', { hint });
    if (request.method === 'DELETE') {
      open.session.close(true, 'the publisher said goodbye');
      return new Response(null, { status: 200, headers: cors });
    }
    await this.#trickle(request, open);
    return new Response(null, { status: 204, headers: cors });
  }

  /** RFC 9725 4.3.1 and 4.3.2; ICE restarts are not taken (4.3.3: 422). */
  async #trickle(request: Request, { etag, session, usernameFragments }: Open): Promise<void> {
    if (!hasType(request, 'application/trickle-ice-sdpfrag'))
      throw new HttpError(415, 'UNSUPPORTED', 'candidates are application/trickle-ice-sdpfrag');
    const match = request.headers.get('if-match');
    if (match === null)
      throw new HttpError(428, 'INVALID_ARGUMENT', 'no If-Match', { hint: 'send the ETag of the answer' });
    const { usernameFragment, candidates } = parseTrickleFragment(await readText(request));
    const restarts = usernameFragment !== undefined && !usernameFragments.includes(usernameFragment);
    if (match === '*' || restarts)
      throw new StreamsError('UNSUPPORTED', 'ICE restarts are not supported', { hint: 'make a new offer' });
    if (!match.split(',').some((tag) => tag.trim() === etag))
      throw new HttpError(412, 'CONFLICT', 'If-Match is not the ETag of this session');
    for (const { mid, candidate } of candidates) await session.addCandidate(mid, candidate);
  }
}

function keyOf(request: Request): string {
  const [, streamKey] = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  if (streamKey === undefined) throw new StreamsError('UNAUTHORIZED', 'no stream key', { hint });
  return streamKey;
}

function hasType(request: Request, type: string): boolean {
  return (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase() === type;
}

function hashOf(streamKey: string): Uint8Array {
  return createHash('sha256').update(streamKey).digest();
}

/** The body as text. Rejects with LIMIT_EXCEEDED, MALFORMED, TIMEOUT. */
async function readText(request: Request): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    void reader?.cancel().catch(() => undefined);
  }, bodyTimeoutMs);
  try {
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader!.read()) {
      bytes += read.value.length;
      // What is too long is read to its end, within the deadline: who sends does not listen before.
      if (bytes <= maxBodyBytes) parts.push(read.value);
      else if (bytes > maxDrainedBytes) break;
    }
  } finally {
    clearTimeout(deadline);
    if (bytes > maxDrainedBytes) void reader?.cancel().catch(() => undefined);
  }
  if (late) throw new HttpError(408, 'TIMEOUT', 'the body did not come in time');
  if (bytes > maxBodyBytes) throw new StreamsError('LIMIT_EXCEEDED', `a body of more than ${maxBodyBytes} bytes`);
  return fromUtf8Strict(Buffer.concat(parts));
}
