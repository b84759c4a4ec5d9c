import type { ControlPacket, DataPacket } from '../../../codec/srt/packet.ts';
import type { PublishGrant } from '../../../contract/publish-grant.ts';
import { type StreamsError, toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { TsToUnits } from '../mpegts/to-units.ts';
import { type ConnectionOptions, SrtConnection } from './connection.ts';

export type SrtSessionOptions = {
  connection: Omit<ConnectionOptions, 'deliver' | 'gap' | 'ended'>;
  grant: PublishGrant;
  streamKey: string | undefined;
  remoteAddress: string;
  publish(grant: PublishGrant, streamKey: string | undefined, publisher: IngestPublisher): Publishing;
  logger: Logger;
  /** ms of the steady clock the connection runs on. */
  now(): number;
  /** Called once, however it ended. */
  closed(): void;
};

/** One SRT caller that publishes MPEG-TS. Nothing it sends can end anything but itself. */
export class SrtSession {
  readonly #options: SrtSessionOptions;
  readonly #connection: SrtConnection;
  readonly #units = new TsToUnits();
  readonly #publishing: Publishing;
  #arrivedAt = 0;
  #closed = false;

  constructor(options: SrtSessionOptions) {
    const { connection, grant, streamKey, remoteAddress, publish, logger } = options;
    this.#options = options;
    this.#connection = new SrtConnection({
      ...connection,
      deliver: (payload, arrivedAt) => this.#deliver(payload, arrivedAt),
      gap: () => this.#units.gap(),
      ended: (why) => this.#gone(why),
    });
    this.#publishing = publish(grant, streamKey, {
      kind: 'srt',
      stats: () => this.#figures(),
      replaced: () => {
        logger.info('publisher replaced', { inputId: grant.inputId, remoteAddress });
        this.close('another publisher with the right key took over');
      },
      stopped: () => this.close('the input is disabled or deleted'),
    });
    logger.info('publisher connected', {
      inputId: grant.inputId,
      remoteAddress,
      ingest: 'srt',
      latencyMs: connection.latencyMs,
      encrypted: connection.decryption !== undefined,
    });
  }

  receive(packet: DataPacket | ControlPacket, now: number, arrivedAt: number): void {
    this.#guard(() => this.#connection.receive(packet, now, arrivedAt));
  }

  tick(now: number, mayGiveUp: boolean): void {
    this.#guard(() => this.#connection.tick(now, mayGiveUp));
  }

  close(reason: string): void {
    this.#finish(true, reason);
  }

  #deliver(payload: Uint8Array, arrivedAt: number): void {
    this.#arrivedAt = arrivedAt;
    for (const unit of this.#units.push(payload, arrivedAt)) this.#publishing.push(unit);
    const ignored = this.#units.newlyIgnored();
    if (ignored.length > 0)
      this.#options.logger.warn('streams that are not carried', {
        inputId: this.#options.grant.inputId,
        ignored: ignored.join(', '),
      });
  }

  #gone(why: 'shutdown' | 'silent'): void {
    this.#guard(() => {
      if (why === 'shutdown') for (const unit of this.#units.flush(this.#arrivedAt)) this.#publishing.push(unit);
    });
    this.#finish(why === 'shutdown', why === 'shutdown' ? 'the caller closed it' : 'nothing was heard for a while');
  }

  #guard(run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch (error) {
      this.#fail(toStreamsError(error));
    }
  }

  #fail(why: StreamsError): void {
    const { code, message, hint } = why;
    const { grant, remoteAddress, logger } = this.#options;
    const reason = hint === undefined ? message : `${message}; ${hint}`;
    logger.warn('SRT connection closed', { code, reason, remoteAddress, inputId: grant.inputId });
    this.#finish(false, undefined, why);
  }

  /** For the figures of the input. `lostPackets`: dropped, since they came too late or not at all. */
  #figures(): Record<string, number> {
    const { missing, retransmitted, lost, requested, duplicates, undecryptable, rttMs } = this.#connection.stats;
    return {
      missingPackets: missing,
      retransmittedPackets: retransmitted,
      lostPackets: lost,
      retransmitRequests: requested,
      duplicates,
      undecryptable,
      rttMs,
      tsLostPackets: this.#units.lostPackets,
    };
  }

  #finish(clean: boolean, reason: string | undefined, why?: StreamsError): void {
    if (this.#closed) return;
    this.#closed = true;
    const { grant, remoteAddress, logger, now, closed } = this.#options;
    if (reason !== undefined) {
      const tsLost = this.#units.lostPackets;
      const counts = { ...this.#connection.stats, tsLost };
      logger.info('SRT connection closed', { reason, remoteAddress, inputId: grant.inputId, ...counts });
    }
    this.#connection.close(now());
    this.#publishing.end(clean, why);
    closed();
  }
}
