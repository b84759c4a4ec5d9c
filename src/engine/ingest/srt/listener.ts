import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { decodeHandshake, handshakeType } from '../../../codec/srt/handshake.ts';
import { type ControlPacket, controlType, decodePacket, encodeControl } from '../../../codec/srt/packet.ts';
import type { Authorise, PublishGrant } from '../../../contract/publish-grant.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { LimitedWarnings } from '../../../core/limited-warnings.ts';
import type { Logger } from '../../../core/log.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { type Admission, admitByPassphrase } from './admission.ts';
import { type Caller, Callers } from './callers.ts';
import { Cookies } from './cookie.ts';
import { Decryption } from './decryption.ts';
import { acceptance, agreedLatency, inductionAnswer, type Proposal, readProposal, refusalAnswer } from './proposal.ts';
import { publishTarget } from './publish-target.ts';
import { type Refusal, refusalOf, rejection } from './rejection.ts';
import { SrtSession } from './session.ts';

export type SrtListenerOptions = {
  host: string;
  /** 0 picks a free one. */
  port: number;
  authorise: Authorise;
  publish(grant: PublishGrant, streamKey: string | undefined, publisher: IngestPublisher): Publishing;
  logger: Logger;
  /** The shortest delay between arrival and delivery; a caller may ask for a longer one. Default 120. */
  latencyMs?: number;
  /** Without a packet of a caller; default 5000. */
  idleMs?: number;
  /** Default 1024. */
  maxConnections?: number;
  /** Connections of one address; default 64. */
  maxPerAddress?: number;
};

const defaultPerAddress = 64;
const tickMs = 10;
/** The control plane is asked about so many callers at a time. */
const maxAsking = 64;
/** How long an answer is repeated after the connection is over (ms). */
const rememberMs = 3000;
/** A tick that comes so late says that we were busy: then what seems lost may be in the socket (ms). */
const stall = 50;
const stallGrace = 20;
const receiveBufferBytes = 4 * 1024 * 1024;

/** One UDP socket for all SRT callers. Strangers cost a cookie and no memory. */
export class SrtListener {
  readonly #socket: Socket;
  readonly #options: SrtListenerOptions;
  // Apart, so that garbage does not hide a refusal that somebody looks for.
  readonly #ignored: LimitedWarnings;
  readonly #refused: LimitedWarnings;
  readonly #cookies = new Cookies();
  readonly #callers: Callers;
  readonly #sessions = new Map<number, { session: SrtSession; address: string; port: number }>();
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #patientUntil = 0;
  #closed = false;
  #released = false;

  private constructor(socket: Socket, options: SrtListenerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#ignored = new LimitedWarnings(options.logger);
    this.#refused = new LimitedWarnings(options.logger);
    this.#callers = new Callers(options.maxPerAddress ?? defaultPerAddress);
  }

  /** Rejects with PORT_IN_USE or CONFIG_INVALID. */
  static async listen(options: SrtListenerOptions): Promise<SrtListener> {
    const socket = createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4' });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close();
        reject(listenError(error, options));
      });
      socket.bind(options.port, options.host, resolve);
    });
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // The system's own size will do.
    }
    const listener = new SrtListener(socket, options);
    socket.removeAllListeners('error');
    socket.on('error', (error) => options.logger.error('SRT listener', { reason: error.message }));
    socket.on('message', (datagram, from) => listener.#datagram(datagram, from));
    return listener;
  }

  /** Port really bound. */
  get port(): number {
    return this.#socket.address().port;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { session } of [...this.#sessions.values()]) session.close('the engine is shutting down');
    // What was sent is handed to the system before the callback of a later send.
    await new Promise<void>((resolve) =>
      this.#socket.send(new Uint8Array(0), this.port, loopback(this.#options.host), () => resolve()),
    );
    this.#released = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #datagram(datagram: Uint8Array, from: RemoteInfo): void {
    if (this.#closed || datagram.length === 0) return;
    const now = performance.now();
    try {
      const packet = decodePacket(datagram);
      if (packet.destination === 0) {
        if (packet.kind === 'data' || packet.type !== controlType.handshake)
          throw new StreamsError('PROTOCOL_VIOLATION', 'SRT packet of no connection');
        this.#handshake(packet, from, now);
        return;
      }
      const known = this.#sessions.get(packet.destination);
      if (known?.address === from.address && known.port === from.port) known.session.receive(packet, now, Date.now());
      else if (known !== undefined) throw new StreamsError('PROTOCOL_VIOLATION', 'SRT packet of another address');
    } catch (error) {
      const { code, message } = toStreamsError(error);
      this.#ignored.warn('SRT packet ignored', { code, reason: message, remoteAddress: endpoint(from) });
    }
  }

  #handshake(packet: ControlPacket, from: RemoteInfo, now: number): void {
    const handshake = decodeHandshake(packet.body);
    const reply = (body: Uint8Array) => this.#send(handshakePacket(body, handshake.socketId), from.port, from.address);
    if (handshake.type === handshakeType.induction) {
      reply(inductionAnswer(handshake, this.#cookies.of(from.address, from.port, now), from.address));
      return;
    }
    if (handshake.type !== handshakeType.conclusion)
      throw new StreamsError('UNSUPPORTED', 'SRT handshake that is no caller’s (rendezvous?)');
    if (!this.#cookies.matches(handshake.cookie, from.address, from.port, now))
      throw new StreamsError('PROTOCOL_VIOLATION', 'SRT handshake with a wrong cookie');
    const before = this.#callers.find(from.address, from.port, handshake.socketId);
    if (before !== undefined) {
      if (before.answer !== undefined) reply(before.answer);
      return;
    }
    if (this.#asking >= maxAsking) throw new StreamsError('LIMIT_EXCEEDED', 'too many SRT callers at once');
    const caller = this.#callers.add(from.address, from.port, handshake.socketId);
    this.#run();
    const answer = (body: Uint8Array) => {
      caller.answer = body;
      reply(body);
    };
    const refuse = ({ reason, message }: Refusal) => {
      this.#refused.warn('SRT caller refused', { reason: message, rejection: reason, remoteAddress: endpoint(from) });
      caller.forgetAt = performance.now() + rememberMs;
      answer(refusalAnswer(handshake, reason));
    };
    const proposal = readProposal(handshake);
    if ('reason' in proposal) {
      refuse(proposal);
      return;
    }
    const full = this.#full(from.address);
    if (full !== undefined) {
      refuse(full);
      return;
    }
    const began = { timestamp: packet.timestamp, now };
    this.#asking++;
    void this.#decide(proposal, from)
      .then((decided) => {
        if (this.#closed) return;
        if ('reason' in decided) refuse(decided);
        else answer(this.#open(proposal, decided, from, caller, began));
      })
      .catch((error) => {
        if (!this.#closed) refuse(refusalOf(toStreamsError(error)));
      })
      .finally(() => this.#asking--);
  }

  #full(address: string): Refusal | undefined {
    const { maxConnections = 1024, maxPerAddress = defaultPerAddress } = this.#options;
    if (this.#sessions.size >= maxConnections) return { reason: rejection.resource, message: 'too many connections' };
    let count = 0;
    for (const session of this.#sessions.values()) if (session.address === address) count++;
    return count < maxPerAddress
      ? undefined
      : { reason: rejection.resource, message: 'too many connections of one address' };
  }

  async #decide(proposal: Proposal, from: RemoteInfo): Promise<Admission | Refusal> {
    const { inputId, streamKey } = publishTarget(proposal.streamId);
    const { authorise } = this.#options;
    const request = { kind: 'publish', inputId, ingest: 'srt', remoteAddress: endpoint(from) } as const;
    const keys = proposal.keyMaterial?.value;
    if (streamKey === undefined) return admitByPassphrase(authorise, request, keys);
    const grant = await authorise({ ...request, streamKey });
    if (keys === undefined) return { grant, streamKey, decryption: undefined };
    const decryption = new Decryption(streamKey);
    return decryption.accept(keys)
      ? { grant, streamKey, decryption }
      : { reason: rejection.badSecret, message: 'the passphrase is not the stream key' };
  }

  #open(
    proposal: Proposal,
    { grant, streamKey, decryption }: Admission,
    from: RemoteInfo,
    caller: Caller,
    began: { timestamp: number; now: number },
  ): Uint8Array {
    const { publish, logger, latencyMs: ours = 120, idleMs = 5000 } = this.#options;
    const { handshake } = proposal;
    const latencyMs = agreedLatency(proposal, ours);
    let socketId: number;
    do socketId = randomInt(1, 2 ** 30);
    while (this.#sessions.has(socketId));
    const session = new SrtSession({
      connection: {
        peerSocketId: handshake.socketId,
        initialSequence: handshake.initialSequence,
        latencyMs,
        began,
        decryption,
        idleMs,
        send: (datagram) => this.#send(datagram, from.port, from.address),
      },
      grant,
      streamKey,
      remoteAddress: endpoint(from),
      publish,
      logger,
      now: () => performance.now(),
      closed: () => {
        this.#sessions.delete(socketId);
        caller.forgetAt = performance.now() + rememberMs;
      },
    });
    this.#sessions.set(socketId, { session, address: from.address, port: from.port });
    return acceptance(proposal, socketId, latencyMs, from.address);
  }

  /** The clock runs while somebody is there. */
  #run(): void {
    if (this.#timer !== undefined) return;
    this.#lastTick = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#lastTick > stall && now - this.#patientUntil > 10 * stallGrace)
      this.#patientUntil = now + stallGrace;
    this.#lastTick = now;
    for (const { session } of this.#sessions.values()) session.tick(now, now >= this.#patientUntil);
    this.#callers.sweep(now);
    if (this.#callers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #send(datagram: Uint8Array, port: number, address: string): void {
    // A datagram that cannot be sent is a lost one.
    if (!this.#released) this.#socket.send(datagram, port, address, () => {});
  }
}

function handshakePacket(body: Uint8Array, destination: number): Uint8Array {
  return encodeControl({ type: controlType.handshake, subtype: 0, info: 0, timestamp: 0, destination, body });
}

function endpoint({ address, port, family }: RemoteInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function loopback(host: string): string {
  return host.includes(':') ? '::1' : '127.0.0.1';
}

function listenError(error: NodeJS.ErrnoException, { host, port }: SrtListenerOptions): StreamsError {
  if (error.code === 'EADDRINUSE')
    return new StreamsError('PORT_IN_USE', `port ${port}/udp (SRT) is already in use`, {
      hint: 'pass another with --srt-port, or --srt-port 0 for a free one',
      cause: error,
    });
  return new StreamsError(
    'CONFIG_INVALID',
    `cannot listen for SRT on ${host}:${port}: ${error.code ?? error.message}`,
    {
      cause: error,
    },
  );
}
