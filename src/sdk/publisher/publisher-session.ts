import { answerFetch } from '../../broadcast/answer-fetch.ts';
import { type FeedTally, TrackSender } from '../../broadcast/track-sender.ts';
import { publisherPriority } from '../../codec/catalog/publisher-priority.ts';
import { catalogTrackName } from '../../codec/catalog/streams-catalog.ts';
import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { IncomingFetch, IncomingSubscribe, SessionHandlers } from '../../session/types.ts';
import type { Transport } from '../../transport/transport.ts';
import type { PublishedBroadcast } from './published-broadcast.ts';

/** How long the last bytes may take, and how long nothing must have been sent for them to be out, ms. */
const settleMs = 5000;
const quietLooks = 4;
const lookMs = 50;
/** Acknowledgements and keep-alives. */
const quietBytes = 2048;

/** One connection of a publisher: who takes which track. */
export class PublisherSession {
  readonly handlers: SessionHandlers;
  readonly #broadcast: PublishedBroadcast;
  readonly #transport: Transport;
  readonly #taken: (live: boolean) => void;
  readonly #tally: FeedTally | undefined;
  readonly #feeds = new Map<TrackSender, string>();
  readonly #aliases = new Map<string, number>();

  /** `taken` hears whether somebody takes media now; `tally` counts what becomes of it. */
  constructor(broadcast: PublishedBroadcast, transport: Transport, taken: (live: boolean) => void, tally?: FeedTally) {
    this.#tally = tally;
    this.#broadcast = broadcast;
    this.#transport = transport;
    this.#taken = taken;
    this.handlers = { subscribe: (request) => this.#subscribe(request), fetch: (request) => this.#fetch(request) };
  }

  get waitingBytes(): number {
    let bytes = 0;
    for (const feed of this.#feeds.keys()) bytes += feed.waitingBytes;
    return bytes;
  }

  /** Resolves when all that was published has left, as far as can be told, or that takes too long. */
  async settled(): Promise<void> {
    let quiet = 0;
    let sent = this.#transport.stats().bytesSent;
    for (const end = Date.now() + settleMs; quiet < quietLooks && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      const { bytesSent } = this.#transport.stats();
      quiet = this.waitingBytes === 0 && bytesSent - sent < quietBytes ? quiet + 1 : 0;
      sent = bytesSent;
    }
  }

  #subscribe(request: IncomingSubscribe): void {
    const { name } = request.track;
    const track = this.#broadcast.find(name);
    if (track === undefined) {
      request.reject(requestErrorCodes.doesNotExist, 'no such track in this broadcast');
      return;
    }
    const alias = this.#aliases.get(name) ?? this.#aliases.size + 1;
    this.#aliases.set(name, alias);
    const tally = name === catalogTrackName ? undefined : this.#tally;
    const feed = new TrackSender(request, track, alias, publisherPriority(name), tally);
    this.#feeds.set(feed, name);
    this.#tell();
    void request.over.then(() => {
      this.#feeds.delete(feed);
      this.#tell();
    });
  }

  #fetch(request: IncomingFetch): void {
    const { name } = request.track;
    const track = this.#broadcast.find(name);
    if (track === undefined) request.reject(requestErrorCodes.doesNotExist, 'no such track in this broadcast');
    else void answerFetch(request, track, publisherPriority(name));
  }

  #tell(): void {
    this.#taken([...this.#feeds.values()].some((name) => name !== catalogTrackName));
  }
}
