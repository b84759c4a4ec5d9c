import { requestErrorCodes } from '../../../codec/moqt/codes.ts';
import type { Goaway } from '../../../codec/moqt/control/goaway.ts';
import type { PublishNamespace } from '../../../codec/moqt/control/publish-namespace.ts';
import type { Setup } from '../../../codec/moqt/control/setup.ts';
import type {
  ClientSetup,
  PublishNamespaceCancel,
  PublishNamespaceDone,
  ServerSetup,
} from '../../../codec/moqt/draft16/shared-control-message.ts';
import type { Message, Request } from '../../../codec/moqt/message.ts';
import { limitExceeded, protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { transportPriorities } from '../../../core/send-order.ts';
import type { ItemSource } from '../../../transport/decoded-stream.ts';
import type { BidiStream } from '../../../transport/transport.ts';
import type { ControlChannel, ControlChannelParts } from '../control-channel.ts';
import { BidiMessageStream, type MessageStream } from '../message-stream.ts';
import { BlockedRequests } from './blocked-requests.ts';
import { PrefixAnnouncements } from './prefix-announcements.ts';
import { PrefixStream } from './prefix-stream.ts';
import { RequestCredit } from './request-credit.ts';
import { SharedPrefix } from './shared-prefix.ts';
import { SharedRequest, type SharedRequestOwner } from './shared-request.ts';

/**
 * One bidirectional control stream that all requests share (draft-16 and before; draft-16 3.3): gives each of them the form of a
 * stream of its own, so that the session need not know.
 */
export class SharedControl implements ControlChannel, SharedRequestOwner {
  readonly #parts: ControlChannelParts;
  /** Of both sides: their ids differ in parity. */
  readonly #requests = new Map<number, SharedRequest>();
  /** Our updates that wait for an answer, by their own ids. */
  readonly #updates = new Map<number, SharedRequest>();
  readonly #told = new PrefixAnnouncements();
  readonly #credit = new RequestCredit();
  readonly #blocked: BlockedRequests;
  #stream: BidiStream | undefined;
  /** A server's, until the client's control stream is here. */
  #unsent: Message[] = [];
  #setupSeen = false;
  #highest = { ours: -1, theirs: -1 };

  constructor(parts: ControlChannelParts) {
    this.#parts = parts;
    this.#blocked = new BlockedRequests((max) => this.#write({ type: 'requestsBlocked', max }));
    void parts.transport.closed.then(() => {
      for (const request of [...this.#requests.values()]) request.lost();
    });
  }

  send(message: Setup | Goaway): void {
    const { role, transport } = this.#parts;
    if (message.type === 'goaway') {
      this.#write(message);
      return;
    }
    if (role === 'client') {
      this.#stream = transport.openBidi({ priority: transportPriorities.control });
      const stream = new BidiMessageStream(this.#stream, this.#parts.dialect);
      this.#parts.control(this.#messages(stream));
    }
    const type = role === 'client' ? 'clientSetup' : 'serverSetup';
    this.#write({ ...message, type, maxRequestId: this.#credit.granted });
  }

  openRequest(build: (requestId: number) => Request): { requestId: number; stream: MessageStream } {
    const { requestIds, dialect, transport } = this.#parts;
    const { message, bytes } = requestIds.use((id) => {
      const built = build(id);
      return { message: built, bytes: dialect.encodeMessage(built) };
    });
    const { requestId, type } = message;
    this.#highest.ours = requestId;
    if (!this.#isOne && (type === 'subscribeNamespace' || type === 'subscribeTracks')) {
      const bidi = new BidiMessageStream(transport.openBidi({ priority: transportPriorities.request }), dialect);
      this.#blocked.start(requestId, () => bidi.sendEncoded(bytes));
      return { requestId, stream: new PrefixStream(bidi, requestId) };
    }
    const request = this.#add(message, true);
    this.#blocked.start(requestId, () => this.#writeEncoded(bytes));
    return { requestId, stream: request };
  }

  take(stream: BidiStream): void {
    this.#onStream(stream).catch(this.#parts.fail);
  }

  sendUpdate(request: SharedRequest, message: Message & { type: 'requestUpdate' }): void {
    const bytes = this.#parts.dialect.encodeMessage(message);
    this.#highest.ours = message.requestId;
    if (!this.#isOne) this.#updates.set(message.requestId, request);
    this.#blocked.start(message.requestId, () => this.#writeEncoded(bytes));
  }

  over(request: SharedRequest): void {
    const { requestId } = request;
    if (!this.#requests.delete(requestId)) return;
    for (const [id, owner] of this.#updates) if (owner === request) this.#updates.delete(id);
    if (request.isOurPrefix) this.#told.over(request);
    if (!this.#isOurs(requestId)) this.#ended();
  }

  sendOn(request: SharedRequest, message: Message): void {
    const bytes = this.#parts.dialect.encodeMessage(message);
    this.#blocked.follow(request.requestId, () => this.#writeEncoded(bytes));
  }

  /** draft-16 3.3: a bidirectional stream begins with CLIENT_SETUP or SUBSCRIBE_NAMESPACE. */
  async #onStream(bidi: BidiStream): Promise<void> {
    const stream = new BidiMessageStream(bidi, this.#parts.dialect);
    const first = await stream.next();
    if (first === null) {
      stream.finish();
      return;
    }
    switch (first.type) {
      case 'clientSetup':
        if (this.#parts.role === 'client' || this.#stream !== undefined)
          throw protocolViolation('a second control stream');
        this.#stream = bidi;
        bidi.send.setPriority(transportPriorities.control);
        for (const message of this.#unsent.splice(0)) this.#write(message);
        return this.#parts.control(this.#messages(stream, first));
      case 'subscribeNamespace':
      case 'subscribeTracks':
        if (this.#isOne) break;
        this.#seen(first.requestId);
        this.#parts.request(new PrefixStream(stream, first.requestId, first));
        // The stream is what it costs: there is credit for those already.
        this.#ended();
        return;
    }
    throw protocolViolation(`${first.type} first on a bidirectional stream`);
  }

  /** What is for the session; requests are dealt with on the way. */
  #messages(stream: BidiMessageStream, opening?: Message): ItemSource<Message> {
    let first = opening;
    return {
      next: async () => {
        for (let message = first ?? (await stream.next()); message !== null; message = await stream.next()) {
          first = undefined;
          const own = this.#route(message);
          if (own !== undefined) return own;
        }
        return null;
      },
      deliverTo: (taker) =>
        stream.deliverTo({
          item: (message) => {
            const own = this.#route(message);
            if (own !== undefined) taker.item(own);
          },
          stopped() {},
          end: (error) => taker.end(error),
        }),
    };
  }

  #route(message: Message): Setup | Goaway | undefined {
    const { role } = this.#parts;
    if (message.type === (role === 'client' ? 'serverSetup' : 'clientSetup')) {
      this.#setupSeen = true;
      return this.#onSetup(message as ClientSetup | ServerSetup);
    }
    if (!this.#setupSeen) throw protocolViolation(`${message.type} before the peer's SETUP`);
    switch (message.type) {
      case 'goaway':
        // Which of our requests the peer has seen is not told.
        return { ...message, requestId: role === 'client' ? 0 : 1 };
      case 'maxRequestId':
        this.#blocked.raise(message.max);
        return undefined;
      case 'requestsBlocked':
        return undefined;
      case 'subscribe':
      case 'publish':
      case 'fetch':
      case 'trackStatus':
      case 'publishNamespace': {
        this.#seen(message.requestId);
        if (message.type === 'publishNamespace' && this.#told.take(message, this.#requests.values())) {
          this.#acknowledge(message);
          return undefined;
        }
        const request = this.#add(message, false);
        request.receive(message);
        this.#parts.request(request);
        return undefined;
      }
      case 'subscribeNamespace': {
        if (!this.#isOne) break;
        this.#seen(message.requestId);
        const request = this.#add(message, false);
        request.receive(message);
        this.#parts.request(new SharedPrefix(request, (suffix) => this.#publish([...message.prefix, ...suffix])));
        return undefined;
      }
      case 'requestUpdate':
        this.#onUpdate(message.requestId, message.existingRequestId!, message);
        return undefined;
      case 'subscribeOk':
      case 'fetchOk':
      case 'requestOk':
      case 'requestError':
      case 'publishDone':
        this.#onAnswer(message.requestId!, message);
        return undefined;
      case 'publishOk': {
        const { requestId, parameters } = message;
        this.#onAnswer(requestId, { type: 'requestOk', requestId, parameters, trackProperties: emptyBytes });
        return undefined;
      }
      case 'unsubscribe':
      case 'fetchCancel':
        this.#find(message.requestId, message)?.peerCancelled();
        return undefined;
      case 'publishNamespaceDone':
      case 'publishNamespaceCancel':
        this.#onNamespaceOver(message);
        return undefined;
      case 'unsubscribeNamespace':
        this.#named('subscribeNamespace', false, message.prefix)?.peerCancelled();
        return undefined;
    }
    throw protocolViolation(`${message.type} on the control stream`);
  }

  /** Versions that name the namespace, not the request, cannot tell of one that was never there. */
  #onNamespaceOver(message: PublishNamespaceDone | PublishNamespaceCancel): void {
    const { requestId, namespace = [] } = message;
    if (requestId !== undefined) {
      this.#find(requestId, message)?.peerCancelled();
      return;
    }
    const isDone = message.type === 'publishNamespaceDone';
    if (isDone && this.#told.done(namespace)) return;
    this.#named('publishNamespace', !isDone, namespace)?.peerCancelled();
  }

  #named(type: Request['type'], ours: boolean, subject: readonly string[]): SharedRequest | undefined {
    const key = JSON.stringify(subject);
    for (const request of this.#requests.values()) {
      if (request.type === type && request.isOurs === ours && JSON.stringify(request.subject) === key) return request;
    }
    return undefined;
  }

  /** A namespace below a prefix of ours: its own id, and an answer, as for any other. */
  #acknowledge({ requestId }: PublishNamespace): void {
    this.#parts.requestIds.receive(requestId);
    this.#ended();
    this.#write({
      type: 'requestOk',
      request: 'publishNamespace',
      requestId,
      parameters: {},
      trackProperties: emptyBytes,
    });
  }

  #publish(namespace: readonly string[]): MessageStream {
    const build = (requestId: number) => ({ type: 'publishNamespace', requestId, namespace, parameters: {} }) as const;
    return this.openRequest(build).stream;
  }

  /** Everything is on the one stream, as in draft-14. */
  get #isOne(): boolean {
    return this.#parts.dialect.requestStreams === 'one';
  }

  #add(opening: Request, ours: boolean): SharedRequest {
    const request = new SharedRequest(this, opening, ours, { wholeUpdates: this.#isOne });
    this.#requests.set(opening.requestId, request);
    return request;
  }

  #onSetup(setup: ClientSetup | ServerSetup): Setup {
    const { maxRequestId = 0, type: _, ...options } = setup;
    // What waits for it may go only after the session has seen the SETUP; nothing is asked before that.
    this.#blocked.begin(maxRequestId);
    return { ...options, type: 'setup' };
  }

  #onUpdate(requestId: number, existing: number, message: Message): void {
    this.#seen(requestId);
    this.#ended();
    const request = this.#find(existing, message);
    if (request !== undefined) {
      request.receive(message);
      return;
    }
    // It ended while the update was under way, or is a SUBSCRIBE_NAMESPACE.
    this.#parts.requestIds.receive(requestId);
    if (this.#isOne) return;
    const { notSupported: code } = requestErrorCodes;
    this.#write({ type: 'requestError', requestId, code, reason: 'cannot be changed' });
  }

  #onAnswer(requestId: number, message: Message): void {
    const updated = this.#updates.get(requestId);
    if (updated !== undefined) {
      this.#updates.delete(requestId);
      updated.receiveUpdated(message);
      return;
    }
    this.#find(requestId, message)?.receive(message);
  }

  /** undefined: it is over already. Throws for an id that was never used. */
  #find(requestId: number, message: Message): SharedRequest | undefined {
    const request = this.#requests.get(requestId);
    const { ours, theirs } = this.#highest;
    if (request === undefined && requestId > (this.#isOurs(requestId) ? ours : theirs))
      throw protocolViolation(`${message.type} of request ${requestId}, which was not made`);
    return request;
  }

  #isOurs(requestId: number): boolean {
    return requestId % 2 === (this.#parts.role === 'client' ? 0 : 1);
  }

  /** A new request id of the peer; the session looks at the rest. */
  #seen(requestId: number): void {
    this.#credit.check(requestId);
    if (!this.#isOurs(requestId)) this.#highest.theirs = Math.max(this.#highest.theirs, requestId);
  }

  #ended(): void {
    const max = this.#credit.ended();
    if (max !== undefined) this.#write({ type: 'maxRequestId', max });
  }

  #write(message: Message): void {
    if (this.#stream === undefined) this.#unsent.push(message);
    else this.#writeEncoded(this.#parts.dialect.encodeMessage(message));
  }

  #writeEncoded(bytes: Uint8Array): void {
    if (this.#stream?.send.write(bytes) === false) {
      this.#parts.fail(limitExceeded('the peer does not read its control stream'));
    }
  }
}
