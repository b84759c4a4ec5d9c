import { requestErrorCodes } from '../../../codec/moqt/codes.ts';
import type { TrackStatus as TrackStatusMessage } from '../../../codec/moqt/control/track-status.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import type { TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { IncomingTrackStatus, TrackStatus } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { awaitRequestOk } from './await-request-ok.ts';
import { followRequest } from './follow-request.ts';

/** Asks for the state of a track without subscribing (draft-18 10.14). Throws RequestError or StreamsError. */
export async function trackStatus(context: SessionContext, track: TrackName): Promise<TrackStatus> {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  const { stream } = context.channel.openRequest((requestId) => ({
    type: 'trackStatus',
    requestId,
    track,
    parameters: {},
  }));
  const { parameters, trackProperties } = await awaitRequestOk(context, stream, 'TRACK_STATUS', {
    trackProperties: true,
  });
  stream.finish();
  return { largest: parameters.largestObject, expiresMs: parameters.expiresMs, trackProperties };
}

/** One TRACK_STATUS of the peer. */
export class TrackStatusRequest implements IncomingTrackStatus, SessionMember {
  readonly track: TrackName;
  readonly tokens: readonly AuthToken[];
  readonly #context: SessionContext;
  readonly #stream: MessageStream;
  readonly #cancelled = deferred<void>();
  #over = false;

  constructor(context: SessionContext, stream: MessageStream, message: TrackStatusMessage) {
    this.track = message.track;
    this.tokens = context.authTokens.ofRequest(message.parameters.authorizationTokens);
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  accept({ largest, expiresMs, trackProperties = emptyBytes }: Partial<TrackStatus>): void {
    if (this.#over) return;
    const parameters = {
      ...(largest !== undefined && { largestObject: largest }),
      ...(expiresMs !== undefined && { expiresMs }),
    };
    this.#stream.send({ type: 'requestOk', parameters, trackProperties });
    this.#end();
  }

  reject(code: number, reason: string, retryMs?: number): void {
    if (this.#over) return;
    this.#stream.send({ type: 'requestError', code, reason, ...(retryMs !== undefined && { retryMs }) });
    this.#end();
  }

  refuse(): void {
    this.reject(requestErrorCodes.notSupported, 'nothing is published here');
  }

  follow(): void {
    followRequest(this.#context, this.#stream, {
      message: (message) => {
        // It is the only message of its sender.
        if (message.type !== 'goaway') throw protocolViolation(`${message.type} on a TRACK_STATUS stream`);
      },
      cancelled: () => this.#end(),
      finished: () => {},
    });
  }

  sessionEnded(): void {
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.finish();
    this.#context.live.delete(this);
    this.#cancelled.resolve();
  }
}
