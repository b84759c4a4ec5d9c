import type { Authorise } from '../../../contract/publish-grant.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { HttpError } from '../../../core/http-status.ts';
import { isId } from '../../../core/ids.ts';
import type { Logger } from '../../../core/log.ts';
import type { Channels } from '../../channels.ts';
import { errorResponse } from '../../http/error-response.ts';
import { Fmp4ToUnits } from './to-units.ts';

export type Fmp4Context = {
  readonly authorise: Authorise;
  readonly publish: Channels['publish'];
  readonly logger: Logger;
  readonly remoteAddress: string;
};

/** A body that brings nothing for so long has lost its sender. */
const idleTimeoutMs = 15_000;

/**
 * `POST|PUT /ingest/<input id>` with a chunked body of ftyp+moov, moof+mdat …, `Authorization: Bearer <stream key>`. Answers
 * when the body has ended, with how many units it held. Authorised before a byte of media is read. Never rejects.
 */
export async function handleFmp4(request: Request, context: Fmp4Context): Promise<Response> {
  try {
    return Response.json({ units: await receive(request, context) });
  } catch (error) {
    return errorResponse(toStreamsError(error), {});
  }
}

async function receive(request: Request, context: Fmp4Context): Promise<number> {
  const { inputId, streamKey } = targetOf(request);
  const { authorise, publish, logger, remoteAddress } = context;
  const grant = await authorise({ kind: 'publish', inputId, streamKey, ingest: 'fmp4', remoteAddress });
  const reader = request.body!.getReader();
  let taken: StreamsError | undefined;
  const end = (why: StreamsError) => {
    taken = why;
    void reader.cancel().catch(() => undefined);
  };
  const publishing = publish(grant, streamKey, {
    kind: 'fmp4',
    replaced: () => end(new StreamsError('CONFLICT', 'another publisher took this input over')),
    stopped: () => end(new StreamsError('FORBIDDEN', 'the input was disabled or deleted')),
  });
  logger.info('publisher connected', { inputId, ingest: 'fmp4', remoteAddress });
  const units = new Fmp4ToUnits();
  let count = 0;
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), idleTimeoutMs);
      if (taken !== undefined) throw taken;
      if (done) break;
      for (const unit of units.push(value, Date.now())) {
        publishing.push(unit);
        count++;
      }
    }
    if (!units.atBoundary) throw new StreamsError('MALFORMED', 'the body ended inside of a fragment');
    publishing.end(true);
    return count;
  } catch (error) {
    const why = toStreamsError(error);
    publishing.end(false, why);
    void reader.cancel().catch(() => undefined);
    const { code, message } = why;
    logger.warn('fMP4 push ended', { inputId, code, reason: message, remoteAddress });
    throw error;
  }
}

function targetOf(request: Request): { inputId: string; streamKey: string } {
  if (request.method !== 'POST' && request.method !== 'PUT')
    throw new HttpError(405, 'UNSUPPORTED', 'media is pushed here with POST or PUT');
  const inputId = new URL(request.url).pathname.slice('/ingest/'.length);
  if (!isId('lv', inputId)) throw new StreamsError('NOT_FOUND', 'the path is not /ingest/<input id>');
  const [, streamKey] = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  if (streamKey === undefined)
    throw new StreamsError('UNAUTHORIZED', 'no stream key', { hint: 'send Authorization: Bearer <stream key>' });
  if (request.body === null) throw new StreamsError('MALFORMED', 'no body');
  return { inputId, streamKey };
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new HttpError(408, 'TIMEOUT', `nothing came for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
