import { sessionCodes } from '../../codec/moqt/codes.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { establish } from '../../session/establish.ts';
import type { Session } from '../../session/types.ts';
import type { Transport } from '../../transport/transport.ts';
import { browserConnector } from '../connect/connect-browser.ts';
import { openTransport } from '../connect/open-transport.ts';
import { type PlaybackTarget, playbackTarget } from '../connect/relay-url.ts';
import { reportFault } from '../connect/report-fault.ts';
import { refusalOfClose, tokenRefused } from './refusal.ts';
import type { ConnectTransport, ViewerOptions } from './viewer-types.ts';

/** A token this close to its end is renewed before it is used, ms. */
const renewBeforeMs = 10_000;

/** Where a viewer connects, and with which token. */
export class ViewerDialer {
  readonly #options: ViewerOptions;
  readonly #signal: AbortSignal;
  #target: PlaybackTarget | undefined;
  #token: string | undefined;
  #movedTo: string | undefined;
  #kind: Transport['kind'] | undefined;

  constructor(options: ViewerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Of the newest connection; undefined before the first. */
  get target(): PlaybackTarget | undefined {
    return this.#target;
  }

  /** Where the relay sent us, for the next connection. */
  moved(uri: string): void {
    if (URL.canParse(uri)) this.#movedTo = uri;
  }

  /** By what the newest session goes. */
  get kind(): Transport['kind'] | undefined {
    return this.#kind;
  }

  /**
   * `renew`: with a new token. `better`: beside a session by WebSocket, by another way or not at all. Throws StreamsError.
   */
  async connect(renew: boolean, { better = false, signal = this.#signal } = {}): Promise<Session> {
    const o = this.#options;
    // Should it not answer, the next attempt goes where we were told in the first place.
    const movedTo = this.#movedTo;
    this.#movedTo = undefined;
    const url = movedTo ?? (typeof o.url === 'string' ? o.url : await o.url());
    let target = playbackTarget(url, o.namespace, this.#token);
    if (o.refreshToken !== undefined && (renew || (target.expiresAt ?? Infinity) < Date.now() + renewBeforeMs)) {
      this.#token = await o.refreshToken();
      target = playbackTarget(url, o.namespace, this.#token);
    }
    this.#target = target;
    const timeoutMs = o.connectTimeoutMs ?? 10_000;
    const connect = o.connect ?? browserConnector();
    const dial: ConnectTransport = (to, options) => connect(to, better ? { ...options, better } : options);
    const transport = await openTransport(dial, target.url, timeoutMs, signal);
    const abort = () => transport.close({ code: sessionCodes.noError, reason: 'closed_by_caller' });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      if (better && transport.kind === 'qmux') throw new StreamsError('UNSUPPORTED', 'there is no better way');
      const fault = o.onFault ?? reportFault;
      const session = await establish(transport, { role: 'client', setupTimeoutMs: timeoutMs, fault });
      this.#kind = transport.kind;
      return session;
    } catch (error) {
      transport.close({ code: sessionCodes.noError, reason: '' });
      const refusal = refusalOfClose(await transport.closed, target.expiresAt);
      if (refusal !== undefined) throw refusal;
      const { code, message } = toStreamsError(error);
      throw code === 'UNAUTHORIZED' ? tokenRefused(message, false, target.expiresAt) : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
