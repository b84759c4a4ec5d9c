import { availableParallelism } from 'node:os';
import { fromUtf8 } from '../../core/bytes.ts';
import { rethrowLater } from '../../core/fault.ts';
import type { FanOutWriter, TransportClose } from '../transport.ts';
import { eventKind, readEvents } from './event-reader.ts';
import { loadNative } from './load-native.ts';
import type { NativeSocket } from './native-types.ts';

/** Where the events of one connection go. */
export interface ConnectionEvents {
  incoming(bidirectional: boolean, handle: number): void;
  datagram(bytes: Uint8Array): void;
  ended(close: TransportClose): void;
}

export interface SendEvents {
  becameWritable(): void;
  /** Stopped by the peer with this code; null: everything was acknowledged. */
  ended(outcome: number | null): void;
}

export interface ReceiveEvents {
  arrived(bytes: Uint8Array): void;
  /** FIN. */
  finished(): void;
  wasReset(code: number): void;
}

export interface DialEvents {
  connected(protocol: string, remoteAddress: string): void;
  failed(cause: number, words: string): void;
}

export interface ServerEvents {
  accepted(connection: number, protocol: string, remoteAddress: string): void;
  closed(): void;
}

/** Beside JavaScript's own thread: on two cores a second one costs a fifth more CPU, in wake-ups. More than two gain nothing. */
const workers = Math.max(1, Math.min(2, availableParallelism() - 1));

let instance: SharedSocket | undefined;

/** The one native socket of the process, made on first use. Throws QUIC_UNAVAILABLE. */
export function sharedSocket(): SharedSocket {
  instance ??= new SharedSocket();
  return instance;
}

/** Hands the native socket's events to the objects they belong to, and keeps the process alive while any is open. */
export class SharedSocket implements FanOutWriter {
  readonly native: NativeSocket;
  readonly sends = new Map<number, SendEvents>();
  readonly receives = new Map<number, ReceiveEvents>();
  readonly #connections = new Map<number, ConnectionEvents>();
  readonly #dials = new Map<number, DialEvents>();
  readonly #servers = new Map<number, ServerEvents>();
  #keepAlive: NodeJS.Timeout | undefined;

  constructor() {
    const { QuicSocket } = loadNative();
    this.native = new QuicSocket(() => this.#drain(), workers);
  }

  addConnection(handle: number, events: ConnectionEvents): void {
    this.#connections.set(handle, events);
    this.#hold();
  }

  addDial(handle: number, events: DialEvents): void {
    this.#dials.set(handle, events);
    this.#hold();
  }

  addServer(handle: number, events: ServerEvents): void {
    this.#servers.set(handle, events);
    this.#hold();
  }

  writeMany(handles: readonly number[], bytes: Uint8Array): Uint8Array {
    return this.native.writeMany(new Float64Array(handles), bytes);
  }

  #drain(): void {
    readEvents(this.native.take(), (kind, a, b, payload) => {
      try {
        this.#handle(kind, a, b, payload);
      } catch (error) {
        // What follows is of other connections.
        rethrowLater(error);
      }
    });
    this.#hold();
  }

  #handle(kind: number, a: number, b: number, payload: Uint8Array): void {
    switch (kind) {
      case eventKind.data:
        this.receives.get(a)?.arrived(payload);
        break;
      case eventKind.writable:
        this.sends.get(a)?.becameWritable();
        break;
      case eventKind.sendDone:
        this.sends.get(a)?.ended(null);
        break;
      case eventKind.stopped:
        this.sends.get(a)?.ended(b);
        break;
      case eventKind.fin:
        this.receives.get(a)?.finished();
        break;
      case eventKind.reset:
        this.receives.get(a)?.wasReset(b);
        break;
      case eventKind.uni:
        this.#connections.get(a)?.incoming(false, b);
        break;
      case eventKind.bidi:
        this.#connections.get(a)?.incoming(true, b);
        break;
      case eventKind.datagram:
        this.#connections.get(a)?.datagram(payload);
        break;
      default:
        this.#handleRare(kind, a, b, payload);
    }
  }

  #handleRare(kind: number, a: number, b: number, payload: Uint8Array): void {
    if (kind === eventKind.accepted) {
      this.#servers.get(a)?.accepted(b, ...introduction(payload));
    } else if (kind === eventKind.connected) {
      const dial = this.#dials.get(a);
      this.#dials.delete(a);
      dial?.connected(...introduction(payload));
    } else if (kind === eventKind.connectFailed) {
      const dial = this.#dials.get(a);
      this.#dials.delete(a);
      dial?.failed(b, fromUtf8(payload));
    } else if (kind === eventKind.closed) {
      const connection = this.#connections.get(a);
      this.#connections.delete(a);
      const by = (['local', 'peer', 'transport'] as const)[payload[0] ?? 2] ?? 'transport';
      connection?.ended({ by, code: b, reason: fromUtf8(payload.subarray(1)) });
    } else if (kind === eventKind.endpointClosed) {
      const server = this.#servers.get(a);
      this.#servers.delete(a);
      server?.closed();
    }
  }

  /** The native wake-up does not keep Node running, so that an idle socket never holds up an exit; this does. */
  #hold(): void {
    const open = this.#connections.size + this.#dials.size + this.#servers.size > 0;
    if (open && this.#keepAlive === undefined) {
      this.#keepAlive = setInterval(() => {}, 2 ** 30);
    } else if (!open && this.#keepAlive !== undefined) {
      clearInterval(this.#keepAlive);
      this.#keepAlive = undefined;
    }
  }
}

function introduction(payload: Uint8Array): [protocol: string, remoteAddress: string] {
  const end = payload.indexOf(0);
  return [fromUtf8(payload.subarray(0, end)), fromUtf8(payload.subarray(end + 1))];
}
