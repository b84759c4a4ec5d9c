import { setTimeout as sleep } from 'node:timers/promises';
import { GroupFollower } from '../../../broadcast/group-follower.ts';
import {
  type Catalog,
  type CatalogTrack,
  catalogTrackName,
  decodeCatalog,
} from '../../../codec/catalog/streams-catalog.ts';
import type { Authorise, PublishGrant } from '../../../contract/publish-grant.ts';
import { bytesEqual } from '../../../core/bytes.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { MoqObject, Session, Subscription } from '../../../session/types.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { Fmp4ToUnits } from '../fmp4/to-units.ts';

export type IngestPullOptions = {
  /** With the relay. */
  session: Session;
  namespace: readonly string[];
  inputId: string;
  authorise: Authorise;
  /** Makes the input this engine's; rejects with CONFLICT while another engine has it. */
  claim(inputId: string): Promise<void>;
  /** How often it is asked for then; default 1000. */
  claimEveryMs?: number;
  publish(grant: PublishGrant, publisher: IngestPublisher): Publishing;
  logger: Logger;
};

/** A group that hangs for so long, while a newer one is there, is given up, ms. */
const stallMs = 2000;
/** How long the tracks may take to bring their last objects after the last catalog said that it is over, ms. */
const drainMs = 3000;

type Following = { readonly stop: () => void; readonly done: Promise<void> };

/**
 * What one MoQT publisher brings, from its catalog to its end, as the access units of an input. While another engine takes it, this one
 * follows the catalog only, and waits. Never throws.
 */
export class IngestPull {
  readonly #options: IngestPullOptions;
  readonly #tracks = new Map<string, Following>();
  #publishing: Publishing | undefined;
  #catalog: Following | undefined;
  /** The newest. */
  #latest: Catalog | undefined;
  readonly #stop = new AbortController();
  /** The last catalog was read: what is under way still comes. */
  #finishing = false;
  #over = false;
  /** Asks the publisher for a new group of video, where it makes them on demand. */
  #askNewGroup: (() => void) | undefined;

  constructor(options: IngestPullOptions) {
    this.#options = options;
    this.#run().catch((error) => this.#fail(error));
  }

  get namespace(): readonly string[] {
    return this.#options.namespace;
  }

  /** The publisher is not there any more; unless it had said goodbye, it may come back. */
  gone(): void {
    if (!this.#finishing) this.#end(false);
  }

  /** Another publisher of this input came. */
  superseded(): void {
    if (this.#publishing === undefined) this.#end(false);
  }

  async #run(): Promise<void> {
    const { authorise, inputId } = this.#options;
    const grant = await authorise({ kind: 'publish', inputId, ingest: 'moqt', remoteAddress: 'relay' });
    if (this.#over) return;
    const subscription = await this.#subscribe(catalogTrackName);
    this.#catalog = this.#follow(subscription, (_groupId, object) => {
      if (object.objectId !== 0) return;
      const first = this.#latest === undefined;
      const catalog = decodeCatalog(object.payload);
      this.#latest = catalog;
      if (first) void this.#begin(grant).catch((error) => this.#fail(error));
      else if (this.#publishing !== undefined) void this.#take(catalog).catch((error) => this.#fail(error));
      else if (!catalog.live) this.#end(true);
    });
  }

  /** Waits for the input to be this engine's, then takes what there is. */
  async #begin(grant: PublishGrant): Promise<void> {
    const { publish, logger, inputId } = this.#options;
    await this.#claim();
    if (this.#over) return;
    this.#publishing = publish(grant, {
      kind: 'moqt',
      replaced: () => {
        logger.info('publisher replaced', { inputId });
        this.#end(false);
      },
      stopped: () => this.#end(false),
      requestKeyframe: () => this.#askNewGroup?.(),
      moved: () => {
        this.#publishing = undefined;
        for (const track of this.#tracks.values()) track.stop();
        this.#tracks.clear();
        void this.#begin(grant).catch((error) => this.#fail(error));
      },
    });
    logger.info('publisher connected', { inputId, ingest: 'moqt' });
    await this.#take(this.#latest!);
  }

  async #claim(): Promise<void> {
    const { claim, claimEveryMs = 1000, logger, inputId } = this.#options;
    for (let tries = 0; !this.#over; tries++) {
      try {
        await claim(inputId);
        return;
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (code !== 'CONFLICT' && code !== 'API_UNREACHABLE') throw error;
        if (tries === 0) logger.info('a MoQT publisher waits', { inputId, reason: message });
      }
      await sleep(claimEveryMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** The first video and the first audio: an input has one of each. */
  async #take(catalog: Catalog): Promise<void> {
    if (!catalog.live) {
      this.#finishing = true;
      const { promise: late, cancel } = after(drainMs);
      await Promise.race([Promise.all([...this.#tracks.values()].map(({ done }) => done)), late]);
      cancel();
      this.#end(true);
      return;
    }
    const wanted = (['video', 'audio'] as const).flatMap((kind) => catalog.tracks.find((t) => t.kind === kind) ?? []);
    for (const [name, track] of this.#tracks) {
      if (wanted.some((other) => other.name === name)) continue;
      this.#tracks.delete(name);
      track.stop();
    }
    await Promise.all(wanted.filter(({ name }) => !this.#tracks.has(name)).map((track) => this.#open(track)));
  }

  async #open({ name, kind }: CatalogTrack): Promise<void> {
    // Taken before the answer: the next catalog must not ask again.
    this.#tracks.set(name, { stop: () => {}, done: Promise.resolve() });
    const subscription = await this.#subscribe(name);
    if (this.#over || !this.#tracks.has(name)) {
      subscription.unsubscribe();
      return;
    }
    const units = new Fmp4ToUnits();
    let init: Uint8Array | undefined;
    let newest = 0;
    if (kind === 'video')
      this.#askNewGroup = () => void subscription.update({ newGroupRequest: newest + 1 }).catch(() => undefined);
    const take = (groupId: number, { objectId, payload }: MoqObject) => {
      newest = Math.max(newest, groupId);
      if (objectId === 0) {
        if (init !== undefined && bytesEqual(init, payload)) return;
        init = payload;
      }
      for (const unit of units.push(payload, Date.now())) this.#publishing?.push(unit);
      if (!units.atBoundary)
        throw new StreamsError('MALFORMED', `an object of ${name} is no whole init segment or fragment`);
    };
    this.#tracks.set(name, this.#follow(subscription, take));
  }

  async #subscribe(name: string): Promise<Subscription> {
    const { session, namespace } = this.#options;
    return session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' }, priority: 1 });
  }

  #follow(subscription: Subscription, take: (groupId: number, object: MoqObject) => void): Following {
    const follower = new GroupFollower({
      subscription,
      position: undefined,
      stallMs,
      onObject: (groupId, object) => {
        if (this.#over) return;
        try {
          take(groupId, object);
        } catch (error) {
          this.#fail(error);
        }
      },
      onGap: (fromGroup, toGroup, reason) => {
        const { logger, inputId } = this.#options;
        logger.warn('groups of the publisher are missing', {
          inputId,
          track: subscription.track.name,
          groups: toGroup - fromGroup + 1,
          reason,
        });
      },
    });
    const stop = () => {
      follower.stop();
      subscription.unsubscribe();
    };
    return { stop, done: follower.run() };
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    const { logger, inputId } = this.#options;
    const why = toStreamsError(error);
    const { code, message, hint } = why;
    logger.warn('MoQT publisher let go', {
      inputId,
      code,
      reason: hint === undefined ? message : `${message}; ${hint}`,
    });
    this.#end(false, why);
  }

  #end(clean: boolean, why?: StreamsError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stop.abort();
    this.#catalog?.stop();
    for (const track of this.#tracks.values()) track.stop();
    this.#publishing?.end(clean, why);
  }
}

function after(ms: number): { promise: Promise<void>; cancel: () => void } {
  let timer: NodeJS.Timeout;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
