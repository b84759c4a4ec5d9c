import { invalidFilter, requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Fetch } from '../../../codec/moqt/control/fetch.ts';
import type { FetchEncoder, FetchItem } from '../../../codec/moqt/data/fetch-stream.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import { type RangeFilters, updatedFilters } from '../../../codec/moqt/fields/range-filters.ts';
import type { GroupOrder, Location, TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import { objectPriorities } from '../../../core/send-order.ts';
import type { SendStream } from '../../../transport/transport.ts';
import { deadStream } from '../../dead-stream.ts';
import { wireResetCode } from '../../reset-codes.ts';
import { streamPriority } from '../../stream-priority.ts';
import type { FetchAnswer, FetchWriter, IncomingFetch } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest, takeUpdate } from '../requests/follow-request.ts';

/** What is asked for, once a joining fetch is resolved (draft-18 10.12.2.1). */
export type ResolvedFetch = { readonly track: TrackName; readonly start: Location; readonly end: Location };

/** One FETCH of the peer, from its arrival until its stream is finished, reset or refused. */
export class FetchRequest implements IncomingFetch, SessionMember {
  readonly requestId: number;
  priority: number;
  readonly groupOrder: GroupOrder;
  readonly fillTimeoutMs: number | undefined;
  readonly rangeFilters: RangeFilters | undefined;
  readonly tokens: readonly AuthToken[];
  readonly #context: SessionContext;
  readonly #request: MessageStream;
  readonly #cancelled = deferred<void>();
  #resolved: ResolvedFetch | undefined;
  #stream: SendStream | undefined;
  #state: 'pending' | 'accepted' | 'over' = 'pending';

  /** `tokens`: those of the message, unless it has those of another one. */
  constructor(context: SessionContext, request: MessageStream, message: Fetch, tokens?: readonly AuthToken[]) {
    const { parameters } = message;
    this.requestId = message.requestId;
    this.priority = parameters.subscriberPriority ?? objectPriorities.unsaid;
    this.groupOrder = parameters.groupOrder ?? 'ascending';
    this.fillTimeoutMs = parameters.fillTimeoutMs;
    this.rangeFilters = updatedFilters(undefined, parameters.rangeFilters ?? {});
    this.tokens = tokens ?? context.authTokens.ofRequest(parameters.authorizationTokens);
    this.#context = context;
    this.#request = request;
    context.live.add(this);
  }

  get track(): TrackName {
    return this.#range.track;
  }
  get start(): Location {
    return this.#range.start;
  }
  get end(): Location {
    return this.#range.end;
  }
  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }
  get over(): boolean {
    return this.#state === 'over';
  }

  resolve(resolved: ResolvedFetch): void {
    this.#resolved = resolved;
  }

  accept(answer: FetchAnswer): FetchWriter {
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    const { dialect, transport } = this.#context;
    const encoder = dialect.fetchEncoder(this.groupOrder);
    if (this.#state === 'over') return new FetchStreamWriter(deadStream, encoder, () => {});
    const { end, endOfTrack, trackProperties = emptyBytes } = answer;
    const header = dialect.encodeFetchHeader(this.requestId);
    // Throws INVALID_ARGUMENT for an answer that cannot be said: it is to be refused then.
    this.#request.send({ type: 'fetchOk', end, endOfTrack, parameters: {}, trackProperties });
    this.#state = 'accepted';
    const stream = transport.openUni({ priority: this.#transportPriority() });
    this.#stream = stream;
    stream.write(header);
    void stream.stopped.then((code) => {
      if (code !== null) this.#cancel();
    });
    return new FetchStreamWriter(
      stream,
      encoder,
      () => this.#done(),
      (code) => wireResetCode(dialect, code),
    );
  }

  reject(code: number, reason: string, retryMs?: number): void {
    if (this.#state === 'over') return;
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#request.send({ type: 'requestError', code, reason, ...(retryMs !== undefined && { retryMs }) });
    this.#done();
  }

  follow(): void {
    followRequest(this.#context, this.#request, {
      message: (message) => {
        if (message.type === 'goaway') return;
        if (message.type !== 'requestUpdate') throw protocolViolation(`${message.type} on a FETCH stream`);
        takeUpdate(this.#context, message);
        if (this.#state === 'over') return;
        const { subscriberPriority, rangeFilters, invalidFilter } = message.parameters;
        if (rangeFilters !== undefined || invalidFilter !== undefined) {
          this.#refuseUpdate('the filters of a fetch stay');
          return;
        }
        this.priority = subscriberPriority ?? this.priority;
        this.#stream?.setPriority(this.#transportPriority());
        this.#request.send({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
      },
      cancelled: () => this.#cancel(),
      // FIN of our peer's side is no cancellation: it has nothing more to say, and waits.
      finished: () => {},
    });
  }

  sessionEnded(): void {
    this.#cancel();
  }

  get #range(): ResolvedFetch {
    if (this.#resolved === undefined) throw new StreamsError('INTERNAL', 'the range is not known yet');
    return this.#resolved;
  }

  #transportPriority(): number {
    const { groupOrder } = this;
    return streamPriority({
      subscriberPriority: this.priority,
      publisherPriority: objectPriorities.unsaid,
      groupOrder,
      groupId: 0,
      subgroupId: 0,
    });
  }

  /** draft-19 5.1.3, 10.9.1: range filters are updated on subscriptions only, and a refusal ends the fetch. */
  #refuseUpdate(reason: string): void {
    this.#request.send({ type: 'requestError', code: invalidFilter, reason });
    this.#request.finish();
    this.#stream?.reset(streamResetCodes.cancelled);
    this.#over();
    this.#cancelled.resolve();
  }

  #cancel(): void {
    if (this.#state === 'over') return;
    this.#request.cancel(streamResetCodes.cancelled);
    this.#stream?.reset(streamResetCodes.cancelled);
    this.#over();
    this.#cancelled.resolve();
  }

  #done(): void {
    if (this.#state === 'over') return;
    this.#request.finish();
    this.#over();
  }

  #over(): void {
    this.#state = 'over';
    this.#context.live.delete(this);
  }
}

/** Wake-ups that brought no room before the stream is given up: a stream that lies would otherwise spin. */
const maxIdleWakes = 20;

class FetchStreamWriter implements FetchWriter {
  readonly #stream: SendStream;
  readonly #encoder: Pick<FetchEncoder, 'encode'>;
  readonly #closed: () => void;
  readonly #resetCode: (code: number) => number;
  #ended = false;

  constructor(
    stream: SendStream,
    encoder: Pick<FetchEncoder, 'encode'>,
    closed: () => void,
    resetCode: (code: number) => number = (code) => code,
  ) {
    this.#stream = stream;
    this.#encoder = encoder;
    this.#closed = closed;
    this.#resetCode = resetCode;
    void stream.stopped.then(() => {
      this.#ended = true;
    });
  }

  async write(item: FetchItem): Promise<boolean> {
    const bytes = this.#encoder.encode(item);
    for (let wakes = 0; !this.#stream.write(bytes); wakes++) {
      if (this.#ended || wakes > maxIdleWakes) return false;
      await this.#stream.writable();
      if (wakes > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }

  finish(): void {
    this.#stream.finish();
    this.#closed();
  }

  reset(code: number): void {
    this.#stream.reset(this.#resetCode(code));
    this.#closed();
  }
}

export const fetchRefusals = {
  joining: { code: requestErrorCodes.invalidJoiningRequestId, reason: 'no such subscription' },
  notForwarded: { code: requestErrorCodes.invalidRange, reason: 'the subscription does not forward' },
  nothingPublished: { code: requestErrorCodes.invalidRange, reason: 'nothing was published yet' },
  notYet: { code: requestErrorCodes.invalidRange, reason: 'nothing was published there yet' },
  endsFirst: { code: requestErrorCodes.invalidRange, reason: 'the range ends before it starts' },
  notSupported: { code: requestErrorCodes.notSupported, reason: 'nothing can be fetched here' },
} as const;
