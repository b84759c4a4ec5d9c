import type { PublishGrant } from '../contract/publish-grant.ts';
import type { ErrorCode, StreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { MediaUnit } from '../core/media-unit.ts';
import type { Transport } from '../transport/transport.ts';
import { Broadcast } from './broadcast.ts';
import type { LiveInput } from './heartbeat.ts';
import { IngestMeter } from './ingest-meter.ts';
import { RelayPublisher } from './publish.ts';
import { type RenditionsOptions, renditionStats, renditionsOf } from './transcode/renditions.ts';

/**
 * Who publishes. `replaced` is called once when another one with a right key takes over, `stopped` when the control plane
 * wants the input off the air (where there is none, `replaced` is).
 */
export type IngestPublisher = {
  readonly kind: string;
  replaced(): void;
  stopped?(): void;
  /** Another engine has the input (where there is none, `replaced` is called). */
  moved?(): void;
  /** Asks for a keyframe, where its protocol has words for it. */
  requestKeyframe?(): void;
  /** What there is to say of its connection, for the figures of the input. */
  stats?(): Readonly<Record<string, number>>;
};

/** A publisher's hold on its input. After it was replaced both calls do nothing. */
export type Publishing = {
  /** Throws MALFORMED or UNSUPPORTED for units that cannot be packaged. */
  push(unit: MediaUnit): void;
  /**
   * `clean`: the publisher said goodbye; otherwise it vanished and may come back within the grace time. `why`: what it was let go
   * for; media that cannot be used leaves the input errored, unless somebody does better in time.
   */
  end(clean: boolean, why?: StreamsError): void;
};

export type ChannelsOptions = {
  relayUrl: string;
  connect: (url: string) => Promise<Transport>;
  logger: Logger;
  /** What shows the relay that an input is published by an engine of ours. */
  proof?(inputId: string): string;
  /** Called on each change of `live`. */
  changed(): void;
  /** How long a broadcast waits for a publisher that vanished; default 3000. */
  graceMs?: number;
  /** Keeps the broadcast of an input whose grant says so, until `end`. */
  record?(inputId: string, broadcast: Broadcast): { end(): void };
  /** How renditions are made. */
  renditions: RenditionsOptions;
  /** Longest fragment of the source, seconds; one access unit by default. */
  fragmentSeconds?: number;
};

type Channel = {
  /** Of the grant its broadcast began with. */
  ladder: string | undefined;
  /** Publishers that came, but for those who hold a claim; and how many of them the control plane knows. */
  came: number;
  told: number;
  broadcast: Broadcast;
  link: RelayPublisher;
  publisher: IngestPublisher | undefined;
  units: number;
  meter: IngestMeter;
  grace: NodeJS.Timeout | undefined;
  recording: { end(): void } | undefined;
  /** Why the last publisher was let go, if for its media; forgotten with the next media. */
  lastError: string | undefined;
};

/** What an encoder is to be blamed for. */
const badMedia: ReadonlySet<ErrorCode> = new Set(['MALFORMED', 'UNSUPPORTED', 'LIMIT_EXCEEDED', 'PROTOCOL_VIOLATION']);
const maxReasonLength = 500;

/** The live inputs of this engine: at most one publisher each. */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #closing = new Set<Promise<void>>();
  readonly #errored = new Map<string, string>();

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** undefined: the input is not live. */
  broadcast(inputId: string): Broadcast | undefined {
    return this.#channels.get(inputId)?.broadcast;
  }

  /** The inputs that are live, and what their ingest brings. */
  live(): LiveInput[] {
    return [...this.#channels].map(([inputId, channel]) => {
      const { meter, link, publisher, ladder, broadcast, lastError } = channel;
      const took = channel.came > channel.told ? ({ took: true } as const) : {};
      const figures = meter.read(performance.now());
      if (figures === undefined) return { inputId, ...took };
      const stats = {
        ...figures,
        ...publisher?.stats?.(),
        publisher: publisher?.kind ?? null,
        relayConnected: link.connected,
        relayDroppedObjects: link.tally.droppedObjects,
        relayDroppedGroups: link.tally.droppedGroups,
        ...(lastError !== undefined && { lastError }),
      };
      return { inputId, stats: { ...stats, ...renditionStats(ladder, broadcast.ladder) }, ...took };
    });
  }

  /** What `live` says now is being told; the answer is called when it was heard. */
  telling(): () => void {
    const now = [...this.#channels.values()].map((channel) => ({ channel, came: channel.came }));
    return () => {
      for (const { channel, came } of now) channel.told = came;
    };
  }

  /** Inputs that went off air for their media since the last call. */
  takeErrored(): { inputId: string; reason: string }[] {
    const errored = [...this.#errored].map(([inputId, reason]) => ({ inputId, reason }));
    this.#errored.clear();
    return errored;
  }

  stats(): { inputId: string; units: number; relayConnected: boolean; publisher: string | undefined }[] {
    return [...this.#channels].map(([inputId, { units, link, publisher }]) => ({
      inputId,
      units,
      relayConnected: link.connected,
      publisher: publisher?.kind,
    }));
  }

  /** The grant was given: takes the input over from whoever has it, on this engine or on another, unless it was `claimed` before. */
  publish(
    grant: PublishGrant,
    streamKey: string | undefined,
    publisher: IngestPublisher,
    { claimed = false }: { claimed?: boolean } = {},
  ): Publishing {
    const { inputId } = grant;
    const known = this.#channels.get(inputId);
    const channel = known ?? this.#open(grant, streamKey);
    if (known !== undefined) {
      clearTimeout(known.grace);
      const before = known.publisher;
      known.publisher = undefined;
      known.link.streamKey = streamKey;
      known.broadcast.restart();
      known.meter.restart();
      before?.replaced();
    }
    channel.publisher = publisher;
    if (!claimed) {
      channel.came++;
      this.#options.changed();
    }
    return {
      push: (unit) => {
        if (channel.publisher !== publisher) return;
        channel.units++;
        if (channel.broadcast.catalog !== undefined) channel.lastError = undefined;
        channel.meter.push(unit, performance.now());
        channel.broadcast.push(unit);
      },
      end: (clean, why) => {
        if (channel.publisher !== publisher) return;
        channel.publisher = undefined;
        if (why !== undefined && badMedia.has(why.code))
          channel.lastError = why.hint === undefined ? why.message : `${why.message}; ${why.hint}`;
        // What never was on air need not be waited for.
        if (clean || (channel.lastError !== undefined && channel.broadcast.catalog === undefined))
          this.#end(inputId, channel);
        else channel.grace = setTimeout(() => this.#end(inputId, channel), this.#options.graceMs ?? 3000);
      },
    };
  }

  /** Begins or ends a recording in the middle of a broadcast; does nothing where it is so already. */
  setRecorded(inputId: string, recorded: boolean): void {
    const channel = this.#channels.get(inputId);
    if (channel === undefined || recorded === (channel.recording !== undefined)) return;
    channel.recording?.end();
    channel.recording = recorded ? this.#options.record?.(inputId, channel.broadcast) : undefined;
  }

  /** Another engine has the input: it goes off the air here, and its broadcast is over without an end. */
  move(inputId: string): void {
    const channel = this.#channels.get(inputId);
    // A publisher that came since the question has the better right.
    if (channel === undefined || channel.came > channel.told) return;
    const { publisher } = channel;
    this.#options.logger.warn('another engine has the input', { inputId });
    // Without the words of an end: for the viewers it goes on.
    void channel.link.close();
    this.#end(inputId, channel);
    if (publisher?.moved !== undefined) publisher.moved();
    else publisher?.replaced();
  }

  /** Takes the input off the air and lets its publisher go; its broadcast ends at once. */
  stop(inputId: string): void {
    const channel = this.#channels.get(inputId);
    if (channel === undefined) return;
    const { publisher } = channel;
    this.#options.logger.warn('input is stopped by the control plane', { inputId });
    this.#end(inputId, channel);
    if (publisher?.stopped !== undefined) publisher.stopped();
    else publisher?.replaced();
  }

  async close(): Promise<void> {
    for (const [inputId, channel] of this.#channels) this.#end(inputId, channel);
    await Promise.all(this.#closing);
  }

  #open(grant: PublishGrant, streamKey: string | undefined): Channel {
    const { relayUrl, connect, logger, changed, proof, renditions, fragmentSeconds } = this.#options;
    const { inputId, namespace, ladder } = grant;
    const made = renditionsOf(ladder, inputId, renditions, logger);
    const broadcast = new Broadcast(Date.now(), made, fragmentSeconds, (track) => this.#cut(inputId, track));
    const link = new RelayPublisher({
      broadcast,
      inputId,
      streamKey,
      namespace,
      relayUrl,
      connect,
      logger,
      ...(proof !== undefined && { proof: proof(inputId) }),
    });
    const channel: Channel = {
      ladder,
      came: 0,
      told: 0,
      broadcast,
      link,
      publisher: undefined,
      units: 0,
      meter: new IngestMeter(performance.now()),
      grace: undefined,
      lastError: undefined,
      recording: grant.record === true ? this.#options.record?.(inputId, broadcast) : undefined,
    };
    this.#channels.set(inputId, channel);
    logger.info('input is live', { inputId });
    changed();
    return channel;
  }

  #cut(inputId: string, track: string): void {
    const publisher = this.#channels.get(inputId)?.publisher;
    this.#options.logger.warn(
      'no keyframe for too long: a group was cut, and nobody can join before the next keyframe',
      {
        inputId,
        track,
        asked: publisher?.requestKeyframe !== undefined,
      },
    );
    publisher?.requestKeyframe?.();
  }

  #end(inputId: string, channel: Channel): void {
    if (this.#channels.get(inputId) !== channel) return;
    clearTimeout(channel.grace);
    channel.publisher = undefined;
    this.#channels.delete(inputId);
    channel.broadcast.end();
    channel.recording?.end();
    // The last catalog and PUBLISH_DONE leave before the connection does.
    const closing = new Promise<void>((resolve) => setTimeout(resolve, 200)).then(() => channel.link.close());
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
    if (channel.lastError !== undefined) this.#errored.set(inputId, channel.lastError.slice(0, maxReasonLength));
    this.#options.logger.info(`input is ${channel.lastError === undefined ? 'idle' : 'errored'}`, { inputId });
    this.#options.changed();
  }
}
