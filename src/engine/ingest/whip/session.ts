import { randomInt } from 'node:crypto';
import type { RtpPacket } from '../../../codec/rtp/packet.ts';
import type { OrderedPacket } from '../../../codec/rtp/reorder-buffer.ts';
import { writeReceiverReport } from '../../../codec/rtp/rtcp.ts';
import type { PublishOffer } from '../../../codec/sdp/publish-offer.ts';
import { type StreamsError, toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { Peer, type WhipNetwork } from './peer.ts';
import { WhipToUnits } from './to-units.ts';
import { TrackReceiver } from './track-receiver.ts';

export type WhipSessionOptions = {
  readonly inputId: string;
  readonly offer: PublishOffer;
  readonly network: WhipNetwork;
  readonly logger: Logger;
  readonly remoteAddress: string;
  /** Called when the connection stands: from here on there is media. */
  publish(publisher: IngestPublisher): Publishing;
  closed(): void;
  /** From the answer to a connection; default 15 000. */
  readonly connectMs?: number;
  /** Without media; default 6000. */
  readonly silenceMs?: number;
};

const tickMs = 20;
const reportMs = 1000;
/** A keyframe is asked for so often while none has come, and so long after the last one: HLS segments last two seconds. */
const keyframeAgainMs = 500;
const keyframeEveryMs = 1900;

/** One WHIP session: a connection that sends, from its answer to its end. Nothing it sends can end anything but itself. */
export class WhipSession {
  readonly #options: WhipSessionOptions;
  readonly #receivers: readonly TrackReceiver[];
  readonly #units: WhipToUnits;
  readonly #ssrc = randomInt(1, 2 ** 32);
  readonly #openedAt = performance.now();
  #peer: Peer | undefined;
  #publishing: Publishing | undefined;
  #timer: NodeJS.Timeout | undefined;
  #connected = false;
  #heardAt = this.#openedAt;
  #reportedAt = 0;
  #keyframeAt = 0;
  #askedAt = 0;
  #closed = false;

  private constructor(options: WhipSessionOptions) {
    this.#options = options;
    this.#receivers = options.offer.tracks.map((track) => new TrackReceiver(track, this.#ssrc));
    this.#units = new WhipToUnits(options.offer.tracks);
  }

  /** Rejects with UNSUPPORTED. */
  static async open(options: WhipSessionOptions): Promise<WhipSession> {
    const session = new WhipSession(options);
    session.#peer = await Peer.open(options.offer, options.network, {
      rtp: (packet) => session.#guard(() => session.#rtp(packet)),
      senderReport: (ssrc, ntp, timestamp) => session.#senderReport(ssrc, ntp, timestamp),
      state: (state) => session.#guard(() => session.#state(state)),
    });
    session.#timer = setInterval(() => session.#guard(() => session.#tick()), tickMs);
    return session;
  }

  get answer(): string {
    return this.#peer!.answer;
  }

  /** ms since anything was heard, or since the session began. */
  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  addCandidate(mid: string, candidate: string): Promise<void> {
    return this.#peer!.addCandidate(mid, candidate);
  }

  /** `clean`: its sender said goodbye, and the broadcast is over. */
  close(clean: boolean, reason: string, why?: StreamsError): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#publishing?.end(clean, why);
    const { logger, inputId, remoteAddress, closed } = this.#options;
    const lost = Object.fromEntries(this.#receivers.map(({ track, lost }) => [`${track.kind}Lost`, lost]));
    logger.info('WHIP session closed', { inputId, reason, remoteAddress, ...lost });
    closed();
    void this.#peer?.close();
  }

  #closeUnconnected(): void {
    if (this.#closed) return;
    const { logger, inputId, remoteAddress, network } = this.#options;
    const onLoopback = /^(127\.|::1$|localhost$)/.test(network.host) && network.announced === undefined;
    const reason = onLoopback
      ? 'media is awaited on loopback, which browsers use only where they may; start with --host 0.0.0.0'
      : 'no UDP packet found its way; is the address that is announced the right one (--whip-address), and are its ports open (--whip-ports)?';
    logger.warn('WHIP media did not come', { inputId, remoteAddress, reason });
    this.close(false, 'no connection came about');
  }

  #stats() {
    const lostPackets = this.#receivers.reduce((sum, { lost }) => sum + lost, 0);
    const jitterMs = Math.round(Math.max(0, ...this.#receivers.map((receiver) => receiver.jitterMs)) * 10) / 10;
    return { lostPackets, jitterMs };
  }

  #state(state: 'connected' | 'lost'): void {
    if (state === 'lost') {
      if (this.#connected) this.close(false, 'the connection was lost');
      else this.#closeUnconnected();
      return;
    }
    if (this.#connected) return;
    this.#connected = true;
    this.#heardAt = performance.now();
    const { logger, inputId, remoteAddress, offer, publish } = this.#options;
    this.#publishing = publish({
      kind: 'whip',
      replaced: () => this.close(false, 'another publisher with the right key took over'),
      stopped: () => this.close(false, 'the input is disabled or deleted'),
      requestKeyframe: () => {
        this.#keyframeAt = Number.NEGATIVE_INFINITY;
      },
      stats: () => this.#stats(),
    });
    const codecs = offer.tracks.map(({ codec }) => codec).join(', ');
    logger.info('publisher connected', { inputId, ingest: 'whip', remoteAddress, codecs });
  }

  #rtp(packet: RtpPacket): void {
    const receiver = this.#receivers.find((candidate) => candidate.takes(packet));
    if (receiver === undefined || this.#publishing === undefined) return;
    const now = performance.now();
    this.#heardAt = now;
    this.#take(receiver, receiver.push(packet, now), now);
    const nack = receiver.nack(now);
    if (nack !== undefined) this.#peer!.send([nack]);
  }

  #take(receiver: TrackReceiver, packets: readonly OrderedPacket[], now: number): void {
    const arrival = { now, wallClock: Date.now() };
    const { kind } = receiver.track;
    for (const packet of packets)
      for (const unit of this.#units.push(kind, packet, arrival)) {
        if (unit.kind === 'video' && unit.keyframe) this.#keyframeAt = now;
        this.#publishing?.push(unit);
      }
  }

  #senderReport(ssrc: number, ntp: bigint, timestamp: number): void {
    const now = performance.now();
    const receiver = this.#receivers.find((candidate) => candidate.senderReport(ssrc, ntp, now));
    if (receiver !== undefined) this.#units.senderReport(receiver.track.kind, ntp, timestamp);
  }

  #tick(): void {
    const now = performance.now();
    const { connectMs = 15_000, silenceMs = 6000 } = this.#options;
    if (!this.#connected) {
      if (now - this.#openedAt > connectMs) this.#closeUnconnected();
      return;
    }
    if (now - this.#heardAt > silenceMs) {
      this.close(false, 'nothing was sent for a while');
      return;
    }
    const feedback: Uint8Array[] = [];
    for (const receiver of this.#receivers) {
      this.#take(receiver, receiver.expire(now), now);
      const nack = receiver.nack(now);
      if (nack !== undefined) feedback.push(nack);
      if (receiver.track.kind === 'video' && this.#wantsKeyframe(now)) {
        const request = receiver.keyframeRequest();
        if (request !== undefined) {
          this.#askedAt = now;
          feedback.push(request);
        }
      }
    }
    if (now - this.#reportedAt >= reportMs) {
      this.#reportedAt = now;
      const blocks = this.#receivers.flatMap((receiver) => receiver.report(now) ?? []);
      if (blocks.length > 0) feedback.push(writeReceiverReport(this.#ssrc, blocks));
    }
    this.#peer!.send(feedback);
  }

  /** On joining, after a loss, and now and then: browsers send none by themselves, and groups begin with one. */
  #wantsKeyframe(now: number): boolean {
    if (now - this.#askedAt < keyframeAgainMs) return false;
    return this.#units.needsKeyframe || now - this.#keyframeAt >= keyframeEveryMs;
  }

  #guard(run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch (error) {
      this.#fail(toStreamsError(error));
    }
  }

  /** One log line, and the end of this session. */
  #fail(why: StreamsError): void {
    const { code, message } = why;
    const { logger, inputId, remoteAddress } = this.#options;
    logger.warn('WHIP session failed', { inputId, code, reason: message, remoteAddress });
    this.close(false, message, why);
  }
}
