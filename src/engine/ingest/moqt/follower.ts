import { sessionCodes } from '../../../codec/moqt/codes.ts';
import type { Authorise, PublishGrant } from '../../../contract/publish-grant.ts';
import { formatSessionPath } from '../../../contract/session-path.ts';
import { delay } from '../../../core/delay.ts';
import { toStreamsError } from '../../../core/errors.ts';
import { faultFields } from '../../../core/fault.ts';
import { wasGood } from '../../../core/good-session.ts';
import { isId } from '../../../core/ids.ts';
import { type Logger, redactUrl } from '../../../core/log.ts';
import { establish } from '../../../session/establish.ts';
import type { Session } from '../../../session/types.ts';
import type { Transport } from '../../../transport/transport.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { watchSilence } from '../../watch-silence.ts';
import { IngestPull } from './pull.ts';

export type IngestFollowerOptions = {
  relayUrl: string;
  connect(url: string): Promise<Transport>;
  /** Opens `/ingest` at the relay; see access/engine-proof.ts. */
  proof: string;
  authorise: Authorise;
  /** Makes the input this engine's; rejects with CONFLICT while another engine has it. */
  claim(inputId: string): Promise<void>;
  publish(grant: PublishGrant, publisher: IngestPublisher): Publishing;
  logger: Logger;
  /** How often an input that another engine has is asked for; default 1000. */
  claimEveryMs?: number;
  /** First and longest wait between attempts; default 100 and 5000. */
  retryMs?: { first: number; longest: number };
};

/** `ingest/<org>/<input>/<session>/…`: what MoQT publishers bring, as the relay roots it. */
const root = 'ingest';

/**
 * The MoQT way in: hears at the relay of publishers that came with a stream key, and takes what they bring like any other
 * ingest, until `close`. Of several engines at one relay one takes it: the one that has the claim.
 */
export class IngestFollower {
  readonly #options: IngestFollowerOptions;
  readonly #stop = new AbortController();
  readonly #finished: Promise<void>;
  #session: Session | undefined;

  constructor(options: IngestFollowerOptions) {
    this.#options = options;
    this.#finished = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.close(sessionCodes.noError, 'the engine stops');
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { logger, retryMs = { first: 100, longest: 5000 } } = this.#options;
    const { signal } = this.#stop;
    let wait = retryMs.first;
    let failing = false;
    while (!signal.aborted) {
      let establishedAt: number | undefined;
      try {
        const session = await this.#connect();
        establishedAt = performance.now();
        if (failing) logger.info('MoQT publishers can be followed again');
        failing = false;
        this.#session = session;
        void session.goaway.then(() => session.close(sessionCodes.noError, 'leaving as asked'));
        await this.#follow(session);
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (!failing && !signal.aborted)
          logger.warn('MoQT publishers cannot be followed', { code, reason: redactUrl(message) });
        failing = true;
      }
      this.#session = undefined;
      if (wasGood(establishedAt)) wait = retryMs.first;
      await delay(wait, signal);
      wait = Math.min(wait * 2, retryMs.longest);
    }
  }

  async #connect(): Promise<Session> {
    const { connect, relayUrl, proof, logger } = this.#options;
    const { signal } = this.#stop;
    const transport = await connect(relayUrl);
    const abort = () => transport.close({ code: sessionCodes.noError, reason: 'the engine stops' });
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const path = formatSessionPath({ kind: 'ingest', engineProof: proof });
      const fault = (error: unknown) =>
        logger.error('an unexpected error: the relay connection is closed', faultFields(error));
      const session = await establish(transport, { role: 'client', path, authority: new URL(relayUrl).host, fault });
      watchSilence(transport);
      return session;
    } catch (error) {
      transport.close({ code: sessionCodes.internalError, reason: 'cannot follow' });
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** To the end of the session. */
  async #follow(session: Session): Promise<void> {
    const namespaces = await session.subscribeNamespace([root]);
    const pulls = new Map<string, IngestPull>();
    for (let event = await namespaces.next(); event !== null; event = await namespaces.next()) {
      const [, orgId, inputId, publisher] = event.namespace;
      if (orgId === undefined || inputId === undefined || publisher === undefined || !isId('lv', inputId)) continue;
      // A publisher brings one broadcast: its first namespace.
      const key = `${inputId}/${publisher}`;
      const known = pulls.get(key);
      if (event.active && known === undefined) {
        // The newer one counts, also for an engine that waits.
        for (const [other, pull] of pulls) if (other.startsWith(`${inputId}/`)) pull.superseded();
        pulls.set(key, new IngestPull({ ...this.#options, session, namespace: event.namespace, inputId }));
      } else if (!event.active && known !== undefined && known.namespace.join('/') === event.namespace.join('/')) {
        pulls.delete(key);
        known.gone();
      }
    }
    for (const pull of pulls.values()) pull.gone();
  }
}
