import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import { AcceptQueue } from './accept-queue.ts';
import type { MemoryStreamHooks } from './memory-stream.ts';
import { MemoryStream } from './memory-stream.ts';
import type {
  BidiStream,
  OpenUniOptions,
  ReceiveStream,
  SendStream,
  Transport,
  TransportClose,
  TransportStats,
} from './transport.ts';

export type MemoryPairOptions = {
  /** Negotiated subprotocol both ends report; default ''. */
  protocol?: string;
  /** Path and query both ends report; default ''. */
  path?: string;
  /** Bytes a stream holds before `write` answers false; default 1 MiB. */
  highWaterBytes?: number;
};

export type MemoryPair = {
  client: Transport;
  server: Transport;
  /** The connection is lost: both ends close by 'transport' and what was not read is gone. */
  drop(): void;
};

/** Like a QUIC packet: what is larger never arrives. */
const maxDatagramBytes = 1200;
const maxQueuedDatagrams = 1024;

/**
 * Two ends of one connection, in memory. As on QUIC, the peer sees a stream with its first byte, FIN or reset, and then
 * also every stream of that kind opened before it. A queue drains only as its reader reads. When the peer closes, what
 * it had written before can still be read. No timers: everything happens in the call or in a microtask of it.
 */
export function memoryPair(options: MemoryPairOptions = {}): MemoryPair {
  const client = new MemoryTransport(options, 0);
  const server = new MemoryTransport(options, 1);
  client.peer = server;
  server.peer = client;
  return {
    client,
    server,
    drop() {
      const close: TransportClose = { by: 'transport', code: 0, reason: 'connection lost' };
      client.shut(close, true);
      server.shut(close, true);
    },
  };
}

type Opened = { uni: MemoryStream } | { bidi: { ours: MemoryStream; theirs: MemoryStream } };

class MemoryTransport implements Transport {
  readonly kind = 'memory';
  readonly protocol: string;
  readonly path: string;
  readonly remoteAddress = '';
  peer!: MemoryTransport;
  readonly #highWaterBytes: number;
  readonly #closed = deferred<TransportClose>();
  readonly #acceptUni = new AcceptQueue<ReceiveStream>();
  readonly #acceptBidi = new AcceptQueue<BidiStream>();
  readonly #datagrams = new AcceptQueue<Uint8Array>();
  /** Streams this end reads from. */
  readonly #incoming = new Set<MemoryStream>();
  /** Opened here, not yet seen by the peer, in order of their ids. */
  readonly #unseen = { uni: [] as Opened[], bidi: [] as Opened[] };
  #nextUni: number;
  #nextBidi: number;
  #isClosed = false;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(options: MemoryPairOptions, initiator: 0 | 1) {
    this.protocol = options.protocol ?? '';
    this.path = options.path ?? '';
    this.#highWaterBytes = options.highWaterBytes ?? 1024 * 1024;
    // RFC 9000 2.1: bit 0 is the initiator, bit 1 the direction.
    this.#nextBidi = initiator;
    this.#nextUni = initiator + 2;
  }

  get closed(): Promise<TransportClose> {
    return this.#closed.promise;
  }

  openUni({ head }: OpenUniOptions = {}): SendStream {
    const id = this.#nextUni;
    this.#nextUni += 4;
    const opened = { uni: this.#newStream(id, this.peer, () => this.#show(this.#unseen.uni, opened)) };
    this.#unseen.uni.push(opened);
    if (head !== undefined) opened.uni.write(head);
    return opened.uni;
  }

  openBidi(): BidiStream {
    const id = this.#nextBidi;
    this.#nextBidi += 4;
    const ours = this.#newStream(id, this.peer, () => this.#show(this.#unseen.bidi, opened));
    const theirs = this.peer.#newStream(id, this, () => {});
    const opened = { bidi: { ours, theirs } };
    this.#unseen.bidi.push(opened);
    return { send: ours, receive: theirs };
  }

  acceptUni(): Promise<ReceiveStream | null> {
    return this.#acceptUni.next();
  }

  acceptBidi(): Promise<BidiStream | null> {
    return this.#acceptBidi.next();
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (this.#isClosed || bytes.length > maxDatagramBytes) return false;
    if (this.peer.#datagrams.length >= maxQueuedDatagrams) return false;
    this.#count(bytes.length);
    this.peer.#datagrams.push(bytes);
    return true;
  }

  receiveDatagram(): Promise<Uint8Array | null> {
    return this.#datagrams.next();
  }

  close({ code, reason }: { code: number; reason: string }): void {
    if (this.#isClosed) return;
    this.shut({ by: 'local', code, reason }, true);
    this.peer.shut({ by: 'peer', code, reason }, false);
  }

  stats(): TransportStats {
    return { rttMs: 0, cwnd: 0, bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived, packetsLost: 0 };
  }

  /** `discard`: what was not read here is lost. */
  shut(close: TransportClose, discard: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = closedError(close);
    for (const stream of this.#incoming) stream.lose(error, discard);
    this.#incoming.clear();
    this.#acceptUni.close();
    this.#acceptBidi.close();
    this.#datagrams.close();
    this.#closed.resolve(close);
  }

  #newStream(id: number, reader: MemoryTransport, show: () => void): MemoryStream {
    let seen = false;
    const hooks: MemoryStreamHooks = {
      started: () => {
        if (seen) return;
        seen = true;
        show();
      },
      wrote: (_, byteLength) => this.#count(byteLength),
      ended: (ended) => reader.#incoming.delete(ended),
    };
    const stream = new MemoryStream(id, this.#highWaterBytes, hooks);
    if (this.#isClosed) stream.lose(new StreamsError('TRANSPORT_CLOSED', 'the connection is closed'), true);
    else reader.#incoming.add(stream);
    return stream;
  }

  #count(byteLength: number): void {
    this.#bytesSent += byteLength;
    this.peer.#bytesReceived += byteLength;
  }

  /** Shows the peer every stream up to this one (RFC 9000 3.2: opening one opens all with lower ids). */
  #show(unseen: Opened[], upTo: Opened): void {
    if (!unseen.includes(upTo)) return;
    for (let opened = unseen.shift(); opened !== undefined; opened = unseen.shift()) {
      if ('uni' in opened) this.peer.#acceptUni.push(opened.uni);
      else this.peer.#acceptBidi.push({ send: opened.bidi.theirs, receive: opened.bidi.ours });
      if (opened === upTo) return;
    }
  }
}

function closedError(close: TransportClose): StreamsError {
  const reason = close.reason === '' ? '' : `: ${close.reason}`;
  return new StreamsError('TRANSPORT_CLOSED', `the connection was closed (code 0x${close.code.toString(16)})${reason}`);
}
