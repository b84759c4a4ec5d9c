import {
  type ControlCodec,
  type ControlMessage,
  createControlCodec,
  createDataCodec,
  type DecodedControlMessage,
  type DraftVersion,
  encodeSubgroupHeader,
  encodeSubgroupHeader18,
  encodeSubgroupObject,
  encodeSubgroupObject18,
  type RequestEndpoint,
  type SessionOutboundAction,
  Session as TheirSession,
  varint,
} from '@moqt/transport';
import { concat, utf8 } from '../../src/core/bytes.ts';
import { deferred } from '../../src/core/deferred.ts';
import type { BidiStream, ReceiveStream, SendStream, Transport } from '../../src/transport/transport.ts';

export type TheirObject = { readonly objectId: number; readonly payload: Uint8Array };

type Waiter = { readonly type: string; readonly found: (message: DecodedControlMessage) => void };

/** A client made with `@moqt/transport`, which does no I/O of its own: its state machine and its codecs on one of our transports. */
export class MoqtTransportPeer {
  readonly session: TheirSession;
  readonly #version: DraftVersion;
  readonly #transport: Transport;
  readonly #codec: ControlCodec;
  readonly #requests = new Map<bigint, SendStream>();
  readonly #heard: DecodedControlMessage[] = [];
  #waiters: Waiter[] = [];
  #control: SendStream | undefined;

  private constructor(transport: Transport, version: DraftVersion) {
    this.#transport = transport;
    this.#version = version;
    this.#codec = createControlCodec(version);
    this.session = new TheirSession('client', version);
  }

  static async connect(transport: Transport, version: DraftVersion): Promise<MoqtTransportPeer> {
    const peer = new MoqtTransportPeer(transport, version);
    peer.run(peer.session.initiateSetup(version === 18 ? {} : { maxRequestId: varint(100) }));
    if (version === 18) {
      void peer.#follow((await transport.acceptUni())!);
      void peer.#acceptRequests();
      await peer.heard('SETUP');
    } else await peer.heard('SERVER_SETUP');
    return peer;
  }

  /** Does what their session wants done. */
  run(actions: readonly SessionOutboundAction[]): void {
    for (const action of actions) {
      if (action.type === 'send_control') this.#send(action.message);
      else if (action.type === 'close_connection')
        this.#transport.close({ code: Number(action.error), reason: action.reason });
    }
  }

  /** The next message of a kind, past or to come. */
  async heard<T extends DecodedControlMessage['type']>(type: T): Promise<DecodedControlMessage & { type: T }> {
    const index = this.#heard.findIndex((message) => message.type === type);
    if (index >= 0) return this.#heard.splice(index, 1)[0] as DecodedControlMessage & { type: T };
    const waiting = deferred<DecodedControlMessage>();
    this.#waiters.push({ type, found: waiting.resolve });
    return (await waiting.promise) as DecodedControlMessage & { type: T };
  }

  /** One subgroup with these payloads. */
  publishGroup(alias: number, groupId: number, payloads: readonly string[]): void {
    const is18 = this.#version === 18;
    const stream = this.#transport.openUni();
    const header = {
      typeByte: 0x18,
      trackAlias: BigInt(alias),
      groupId: BigInt(groupId),
      subgroupId: 0n,
      publisherPriority: 5,
      hasExtensions: false,
      isEndOfGroup: true,
    };
    stream.write(is18 ? encodeSubgroupHeader18(header) : encodeSubgroupHeader(header));
    for (const [index, payload] of payloads.entries()) {
      const object = { objectId: BigInt(index), extensions: undefined, payload: utf8(payload), status: undefined };
      const first = index === 0;
      const previous = varint(first ? 0 : index - 1);
      stream.write(
        is18
          ? encodeSubgroupObject18(object, false, BigInt(previous), first)
          : encodeSubgroupObject(object, false, previous, first),
      );
    }
    stream.finish();
  }

  /** The next subgroup that comes. */
  async nextGroup(): Promise<{ alias: number; groupId: number; objects: TheirObject[] }> {
    const bytes = await readAll((await this.#transport.acceptUni())!);
    const codec = createDataCodec(this.#version);
    const { header, bytesRead } = codec.decodeSubgroupHeader(bytes, 0);
    const objects: TheirObject[] = [];
    let previous = 0n;
    for (let at = bytesRead; at < bytes.length; ) {
      const first = objects.length === 0;
      const decoded = codec.decodeSubgroupObject(bytes, at, header.hasExtensions, previous, first);
      previous = decoded.object.objectId;
      objects.push({ objectId: Number(previous), payload: decoded.object.payload });
      at += decoded.bytesRead;
    }
    return { alias: Number(header.trackAlias), groupId: Number(header.groupId), objects };
  }

  #send(message: ControlMessage): void {
    const bytes = this.#codec.encode(message);
    if (this.#version !== 18) {
      if (this.#control === undefined) {
        const { send, receive } = this.#transport.openBidi();
        this.#control = send;
        void this.#follow(receive);
      }
      this.#control.write(bytes);
      return;
    }
    if (message.type === 'SETUP') {
      this.#transport.openUni().write(bytes);
      return;
    }
    const { requestId } = message as { requestId: bigint };
    const known = this.#requests.get(BigInt(requestId));
    if (known !== undefined) known.write(bytes);
    else {
      const { send, receive } = this.#transport.openBidi();
      this.#requests.set(BigInt(requestId), send);
      send.write(bytes);
      void this.#follow(receive, { requestId: BigInt(requestId) });
    }
  }

  async #acceptRequests(): Promise<void> {
    for (let bidi = await this.#transport.acceptBidi(); bidi !== null; bidi = await this.#transport.acceptBidi()) {
      void this.#follow(bidi.receive, undefined, bidi);
    }
  }

  async #follow(receive: ReceiveStream, endpoint?: RequestEndpoint, request?: BidiStream): Promise<void> {
    let buffer: Uint8Array = new Uint8Array(0);
    let of = endpoint;
    for (let bytes = await read(receive); bytes !== null; bytes = await read(receive)) {
      buffer = concat([buffer, bytes]);
      for (let size = this.#codec.peekFrameSize(buffer); size !== undefined && size <= buffer.length; ) {
        const { message, bytesRead } = this.#codec.decode(buffer, 0);
        buffer = buffer.slice(bytesRead);
        if (request !== undefined && of === undefined) {
          of = { requestId: BigInt((message as { requestId: bigint }).requestId) };
          this.#requests.set(of.requestId, request.send);
        }
        this.#onMessage(message, of);
        size = this.#codec.peekFrameSize(buffer);
      }
    }
  }

  #onMessage(message: DecodedControlMessage, endpoint: RequestEndpoint | undefined): void {
    this.run(this.session.handleControlMessage(message, endpoint));
    const waiter = this.#waiters.find(({ type }) => type === message.type);
    if (waiter === undefined) this.#heard.push(message);
    else {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      waiter.found(message);
    }
  }
}

/** null at the end, whichever way it comes. */
async function read(stream: ReceiveStream): Promise<Uint8Array | null> {
  try {
    return await stream.read();
  } catch {
    return null;
  }
}

async function readAll(stream: ReceiveStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) parts.push(bytes);
  return concat(parts);
}
