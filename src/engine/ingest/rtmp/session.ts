import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { AmfValue } from '../../../codec/rtmp/amf0.ts';
import { ChunkDecoder } from '../../../codec/rtmp/chunk-decoder.ts';
import { encodeChunks } from '../../../codec/rtmp/chunk-encoder.ts';
import * as control from '../../../codec/rtmp/control.ts';
import { ServerHandshake } from '../../../codec/rtmp/handshake.ts';
import { messageType, type RtmpMessage } from '../../../codec/rtmp/message.ts';
import type { Authorise, PublishGrant } from '../../../contract/publish-grant.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { IngestPublisher, Publishing } from '../../channels.ts';
import { publishTarget } from './publish-target.ts';
import { RtmpToUnits } from './to-units.ts';

export type RtmpSessionOptions = {
  authorise: Authorise;
  publish(grant: PublishGrant, streamKey: string, publisher: IngestPublisher): Publishing;
  logger: Logger;
  /** From the first byte to an accepted publish, and for TLS before that; default 10 000. */
  handshakeMs?: number;
  /** Without a byte; default 15 000. */
  idleMs?: number;
};

export const defaultHandshakeMs = 10_000;
/** For what was said last to reach the peer. */
const closeMs = 1000;
const windowBytes = 2_500_000;
const chunkSize = 4096;

/** Unfinished messages, in bytes: of a peer whose stream key nobody has looked at, and of a publisher. */
const strangerBytes = 256 << 10;
const publisherBytes = 32 << 20;
const videoFourCcs = ['avc1', 'hvc1', 'av01', 'vp09', 'vp08'];
const audioFourCcs = ['mp4a', 'Opus'];
/** The one message stream we hand out. */
const publishStreamId = 1;

/** One RTMP connection that publishes. Nothing it sends can end anything but itself. */
export class RtmpSession {
  readonly #socket: Socket;
  readonly #options: RtmpSessionOptions;
  readonly #remoteAddress: string;
  readonly #handshake = new ServerHandshake(randomBytes(1528));
  readonly #decoder = new ChunkDecoder({ maxPendingBytes: strangerBytes });
  readonly #units = new RtmpToUnits();
  readonly #deadline: NodeJS.Timeout;
  #open = false;
  #app = '';
  #tcUrl = '';
  #publishing: Publishing | undefined;
  #inputId: string | undefined;
  /** Messages that came while the control plane is being asked. */
  #held: RtmpMessage[] | undefined;
  #received = 0;
  #acknowledged = 0;
  #peerWindow = windowBytes;
  #sentChunkSize = 128;
  #closed = false;

  constructor(socket: Socket, options: RtmpSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#remoteAddress = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.#deadline = setTimeout(
      () => this.#fail(new StreamsError('TIMEOUT', 'no publish in time')),
      options.handshakeMs ?? defaultHandshakeMs,
    );
    socket.setNoDelay(true);
    socket.setTimeout(options.idleMs ?? 15_000, () =>
      this.#fail(new StreamsError('TIMEOUT', 'nothing was sent for a while')),
    );
    socket.on('data', (bytes) => this.#guard(() => this.#data(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => this.#end(false));
  }

  /** Ends the connection with a status the encoder may show. */
  close(reason: string): void {
    if (this.#closed) return;
    if (this.#open) this.#send(control.onStatus(publishStreamId, 'status', 'NetStream.Unpublish.Success', reason));
    this.#end(true);
  }

  #data(bytes: Uint8Array): void {
    this.#received += bytes.length;
    let input: Uint8Array | undefined = bytes;
    if (!this.#open) {
      const { reply, rest } = this.#handshake.push(bytes);
      if (reply !== undefined) this.#socket.write(reply);
      this.#open = rest !== undefined;
      input = rest;
    } else if (this.#received - this.#acknowledged >= this.#peerWindow / 2) {
      this.#acknowledged = this.#received;
      this.#send(control.acknowledgement(this.#received));
    }
    if (input === undefined || input.length === 0) return;
    for (const message of this.#decoder.push(input)) this.#message(message);
  }

  #message(message: RtmpMessage): void {
    if (this.#closed) return;
    if (this.#held !== undefined) {
      this.#held.push(message);
      return;
    }
    switch (message.type) {
      case messageType.audio:
      case messageType.video: {
        if (this.#publishing === undefined) throw new StreamsError('PROTOCOL_VIOLATION', 'media before publish');
        const kind = message.type === messageType.audio ? 'audio' : 'video';
        const unit = this.#units.unit(kind, message.timestamp, message.payload, Date.now());
        if (unit !== undefined) this.#publishing.push(unit);
        return;
      }
      case messageType.commandAmf0:
      case messageType.commandAmf3: {
        this.#command(message);
        return;
      }
      case messageType.windowAckSize:
        if (message.payload.length >= 4)
          this.#peerWindow = Math.max(
            4096,
            new DataView(message.payload.buffer, message.payload.byteOffset).getUint32(0),
          );
        return;
      case messageType.userControl:
        // PingRequest (RTMP 1.0 section 7.1.7).
        if (message.payload.length === 6 && message.payload[1] === 6)
          this.#send(control.pingResponse(message.payload.slice(2)));
        return;
    }
  }

  #command(message: RtmpMessage): void {
    const { name, transaction, object, args } = control.decodeCommand(message);
    switch (name) {
      case 'connect': {
        this.#connect(transaction, object);
        return;
      }
      case 'createStream': {
        this.#send(control.command(0, '_result', transaction, null, publishStreamId));
        return;
      }
      case 'releaseStream':
      case 'FCPublish': {
        this.#send(control.command(0, '_result', transaction, null, undefined));
        return;
      }
      case 'publish': {
        this.#publish(args[0]);
        return;
      }
      case 'play':
      case 'play2':
        throw new StreamsError('UNSUPPORTED', 'RTMP playback is not offered here: it only takes media in');
      case 'FCUnpublish':
      case 'deleteStream':
      case 'closeStream':
        if (this.#publishing === undefined) return;
        this.#send(control.onStatus(publishStreamId, 'status', 'NetStream.Unpublish.Success', 'stopped'));
        {
          this.#end(true);
          return;
        }
    }
  }

  #connect(transaction: number, object: AmfValue): void {
    const { app, tcUrl } = (typeof object === 'object' && object !== null ? object : {}) as { [key: string]: AmfValue };
    this.#app = typeof app === 'string' ? app : '';
    this.#tcUrl = typeof tcUrl === 'string' ? tcUrl : '';
    this.#send(control.windowAckSize(windowBytes));
    this.#send(control.setPeerBandwidth(windowBytes));
    this.#send(control.setChunkSize(chunkSize));
    this.#sentChunkSize = chunkSize;
    const properties = { fmsVer: 'FMS/3,0,1,123', capabilities: 31 };
    const information = {
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'connected',
      objectEncoding: 0,
      // Enhanced RTMP: what may come with a FourCC; 4 is "can be forwarded", capsEx 6 multitrack and ModEx.
      fourCcList: [...videoFourCcs, ...audioFourCcs],
      videoFourCcInfoMap: Object.fromEntries(videoFourCcs.map((fourCc) => [fourCc, 4])),
      audioFourCcInfoMap: Object.fromEntries(audioFourCcs.map((fourCc) => [fourCc, 4])),
      capsEx: 6,
    };
    this.#send(control.command(0, '_result', transaction, properties, information));
  }

  #publish(name: AmfValue): void {
    if (this.#inputId !== undefined) throw new StreamsError('PROTOCOL_VIOLATION', 'a second publish on one connection');
    const target = publishTarget(this.#app, this.#tcUrl, typeof name === 'string' ? name : '');
    this.#inputId = target.inputId;
    this.#held = [];
    this.#socket.pause();
    const remoteAddress = this.#remoteAddress;
    this.#options.authorise({ kind: 'publish', ...target, ingest: 'rtmp', remoteAddress }).then(
      (grant) => this.#guard(() => this.#accept(grant, target.streamKey)),
      (error) => this.#guard(() => this.#fail(toStreamsError(error))),
    );
  }

  #accept(grant: PublishGrant, streamKey: string): void {
    if (this.#closed) return;
    clearTimeout(this.#deadline);
    this.#decoder.maxPendingBytes = publisherBytes;
    const publisher: IngestPublisher = {
      kind: 'rtmp',
      replaced: () => {
        this.#options.logger.info('publisher replaced', { inputId: grant.inputId, remoteAddress: this.#remoteAddress });
        this.close('another publisher with the right key took over');
      },
      stopped: () => this.close('the input is disabled or deleted'),
    };
    this.#publishing = this.#options.publish(grant, streamKey, publisher);
    this.#options.logger.info('publisher connected', { inputId: grant.inputId, remoteAddress: this.#remoteAddress });
    this.#send(control.streamBegin(publishStreamId));
    this.#send(control.onStatus(publishStreamId, 'status', 'NetStream.Publish.Start', 'publishing'));
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#socket.resume();
    for (const message of held) this.#message(message);
  }

  #guard(run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch (error) {
      this.#fail(toStreamsError(error));
    }
  }

  /** One log line, words for the encoder, and the end of this connection. */
  #fail(error: StreamsError): void {
    if (this.#closed) return;
    const { code, message, hint } = error;
    const fields = { code, reason: message, remoteAddress: this.#remoteAddress };
    this.#options.logger.warn(
      'RTMP connection closed',
      this.#inputId === undefined ? fields : { ...fields, inputId: this.#inputId },
    );
    if (this.#open && this.#app !== '')
      this.#send(
        control.onStatus(
          publishStreamId,
          'error',
          statusCode(error),
          hint === undefined ? message : `${message}; ${hint}`,
        ),
      );
    this.#end(false, error);
  }

  #end(clean: boolean, why?: StreamsError): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#publishing?.end(clean, why);
    this.#socket.end();
    // A peer that does not close its side is not waited for, nor one that goes on sending.
    this.#socket.setTimeout(0);
    const impatient = setTimeout(() => this.#socket.destroy(), closeMs);
    this.#socket.once('close', () => clearTimeout(impatient));
    this.#socket.resume();
  }

  #send(message: RtmpMessage): void {
    const channel = message.type >= messageType.commandAmf3 ? 3 : 2;
    if (this.#socket.writable) this.#socket.write(encodeChunks(message, channel, this.#sentChunkSize));
  }
}

function statusCode({ code }: StreamsError): string {
  switch (code) {
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
      return 'NetStream.Publish.Unauthorized';
    case 'UNSUPPORTED':
    case 'API_UNREACHABLE':
    case 'TIMEOUT':
      return 'NetStream.Failed';
    default:
      return 'NetStream.Publish.BadName';
  }
}
