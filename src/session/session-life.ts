import { sessionCodes } from '../codec/moqt/codes.ts';
import { MoqtError } from '../codec/moqt/moqt-error.ts';
import { boundedReason } from '../codec/moqt/wire.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { deferred, Latch } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type { Transport, TransportClose } from '../transport/transport.ts';
import { Members } from './members.ts';
import { advance, type SessionEvent, type SessionState } from './state.ts';
import type { EstablishOptions, PeerSetup, SessionClose, SessionHandlers } from './types.ts';

type Goaway = { uri: string; timeoutMs: number };

/** How a session of any version opens, is asked to leave, and ends, and who has to hear of it. */
export class SessionLife {
  readonly live = new Members((error) => this.fail(error));
  readonly #transport: Transport;
  readonly #options: EstablishOptions;
  readonly #opened = deferred<boolean>();
  readonly #closed = deferred<SessionClose>();
  readonly #goaway = new Latch<Goaway>();
  #state: SessionState = { name: 'connecting' };
  #peer: PeerSetup = { path: '', authority: '', implementation: '', tokens: [] };
  #handlers: SessionHandlers;
  /** What made us close. */
  #failure: StreamsError | undefined;
  #setupTimer: ReturnType<typeof setTimeout> | undefined;
  #draining = false;

  constructor(transport: Transport, options: EstablishOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#handlers = options.handlers ?? {};
  }

  /** True once requests may be handled; false when the session closed before. */
  get opened(): Promise<boolean> {
    return this.#opened.promise;
  }
  get closed(): Promise<SessionClose> {
    return this.#closed.promise;
  }
  get goaway(): Promise<Goaway> {
    return this.#goaway.promise;
  }
  get isOpen(): boolean {
    return this.#state.name === 'open' || this.#state.name === 'leaving';
  }
  /** We sent GOAWAY: new requests are refused. */
  get isDraining(): boolean {
    return this.#draining;
  }
  get peer(): PeerSetup {
    return this.#peer;
  }
  get handlers(): SessionHandlers {
    return this.#handlers;
  }

  /** A server that decides who may come says so with its SETUP: the client's `establish` then fails, not its first request. */
  get saysSetupFirst(): boolean {
    return this.#options.role === 'client' || this.#options.authorise === undefined;
  }

  /** From here on it ends with its transport, and in time when it does not open. `protocol`: for the words. */
  begin(protocol: string): void {
    void this.#transport.closed.then((close) => this.#onClosed(close));
    const { setupTimeoutMs = 10_000 } = this.#options;
    this.#setupTimer = setTimeout(() => this.#timedOut(protocol, setupTimeoutMs), setupTimeoutMs);
  }

  /**
   * The peer's SETUP: opens when the authoriser agrees, after `sendSetup` where ours waited for that. Throws MoqtError: a second
   * one, and who may not come.
   */
  async meet(peer: PeerSetup, sendSetup: () => void): Promise<void> {
    this.advance({ type: 'setup', peer });
    if (this.#isClosed) return;
    this.#peer = peer;
    const { authorise } = this.#options;
    if (authorise !== undefined) {
      try {
        this.#handlers = await authorise(peer);
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        throw new MoqtError(sessionCodes.unauthorized, error.message, { code: error.code, cause: error });
      }
      if (this.#isClosed) return;
      sendSetup();
    }
    clearTimeout(this.#setupTimer);
    this.#setupTimer = undefined;
    this.advance({ type: 'authorised' });
    this.#opened.resolve(true);
  }

  /** Resolves once open. Throws why it did not come to that. */
  async established(): Promise<void> {
    if (!(await this.#opened.promise)) throw this.#whyNotOpened();
  }

  /** Throws PROTOCOL_VIOLATION for what the peer may not do now. */
  advance(event: SessionEvent): void {
    this.#state = advance(this.#state, event);
  }

  askedToLeave(goaway: Goaway): void {
    this.#goaway.resolve(goaway);
  }

  /** For a GOAWAY of ours; false: there is none to say, now or again. Throws INVALID_ARGUMENT for a URI that is not ours to give. */
  drain(uri: string): boolean {
    if (this.#draining || !this.isOpen) return false;
    if (uri !== '' && this.#options.role === 'client')
      throw new StreamsError('INVALID_ARGUMENT', 'a client cannot send its server elsewhere');
    this.#draining = true;
    return true;
  }

  close(code: number, reason: string): void {
    this.#transport.close({ code, reason: fromUtf8(boundedReason(reason)) });
  }

  /**
   * A rule was broken: closes with the error's code. What only tells of a lost stream or session is ignored; anything else is a
   * fault of ours, which `EstablishOptions.fault` is told, and closes with INTERNAL_ERROR. Never throws.
   */
  fail(error: unknown): void {
    if (isLoss(error)) return;
    if (error instanceof MoqtError) {
      if (this.#isClosed) return;
      this.#failure ??= error;
      this.close(error.sessionCode, error.message);
      return;
    }
    this.#options.fault?.(error);
    if (this.#isClosed) return;
    this.#failure ??= new StreamsError('INTERNAL', 'the session failed', { cause: error });
    this.close(sessionCodes.internalError, 'internal error');
  }

  /** Runs what has no caller that could hear of an error: whatever it throws, or rejects with, ends this session and nothing else. */
  guard(run: () => unknown): void {
    try {
      const result = run();
      if (result instanceof Promise) result.catch((error) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  /** `take` as a listener that never throws. */
  guarded<T>(take: (item: T) => void): (item: T) => void {
    return (item) => {
      try {
        take(item);
      } catch (error) {
        this.fail(error);
      }
    };
  }

  get #isClosed(): boolean {
    return this.#state.name === 'closed';
  }

  #timedOut(protocol: string, ms: number): void {
    this.#failure = new StreamsError('TIMEOUT', `no ${protocol} session within ${ms} ms`);
    const theirs = this.#state.name === 'connecting';
    this.close(theirs ? sessionCodes.controlMessageTimeout : sessionCodes.internalError, this.#failure.message);
  }

  #onClosed(close: TransportClose): void {
    clearTimeout(this.#setupTimer);
    this.#setupTimer = undefined;
    this.advance({ type: 'closed', close });
    this.#opened.resolve(false);
    this.live.end(close);
    this.#closed.resolve(close);
  }

  #whyNotOpened(): StreamsError {
    if (this.#failure !== undefined) return this.#failure;
    const close = this.#state.name === 'closed' ? this.#state.close : undefined;
    if (close?.by === 'peer' && close.code === sessionCodes.unauthorized)
      return new StreamsError('UNAUTHORIZED', close.reason === '' ? 'refused by the server' : close.reason);
    const code = close === undefined ? '' : ` (code 0x${close.code.toString(16)})`;
    return new StreamsError('TRANSPORT_CLOSED', `the session closed before it was open${code}: ${close?.reason ?? ''}`);
  }
}

/** A stream or the connection went away: nobody's fault. */
function isLoss(error: unknown): boolean {
  return error instanceof StreamsError && (error.code === 'STREAM_RESET' || error.code === 'TRANSPORT_CLOSED');
}
