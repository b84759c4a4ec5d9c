import type { Socket } from 'node:net';
import { addressGroup, plainAddress } from '../../access/trusted-proxies.ts';

export type ConnectionBoundsOptions = {
  /** Of all listeners together; default 4096. */
  readonly total?: number;
  /** Of one address (IPv6: of a /64); default 1024. */
  readonly perAddress?: number;
  /** Addresses that may fill all there is: reverse proxies. */
  unbounded(address: string): boolean;
};

type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>;
type Connection = { readonly key: string; readonly socket: Socket; readonly group: string; requests: number };

/**
 * Who may hold connections. One over a bound takes the place of the one without a request that is idle the longest, of its own address or, where all
 * are taken, of the address that has most; where none is idle it is closed itself. So who comes new always finds room among idle
 * connections, and an address that holds many closes its own.
 */
export class ConnectionBounds {
  readonly #options: ConnectionBoundsOptions;
  readonly #total: number;
  readonly #perAddress: number;
  /** By both ends of the connection, since HTTP/2 and TLS wrap the socket. */
  readonly #connections = new Map<string, Connection>();
  readonly #groups = new Map<string, { count: number; readonly idle: Set<Connection> }>();

  constructor(options: ConnectionBoundsOptions) {
    this.#options = options;
    this.#total = options.total ?? 4096;
    this.#perAddress = options.perAddress ?? 1024;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Called when a connection comes; closes it, or another. */
  admit(socket: Socket): void {
    const key = keyOf(socket);
    const address = plainAddress(socket.remoteAddress ?? '');
    // It has gone already.
    if (key === undefined) {
      socket.destroy();
      return;
    }
    const group = addressGroup(address);
    const held = this.#groups.get(group);
    if (held !== undefined && held.count >= this.#perAddress && !this.#options.unbounded(address)) {
      if (!this.#evict(group)) return void socket.destroy();
    } else if (this.#connections.size >= this.#total && !this.#evict(this.#largest())) {
      socket.destroy();
      return;
    }
    const connection: Connection = { key, socket, group, requests: 0 };
    const entry = this.#groups.get(group) ?? { count: 0, idle: new Set() };
    entry.count++;
    entry.idle.add(connection);
    this.#groups.set(group, entry);
    this.#connections.set(key, connection);
    socket.once('close', () => this.#remove(connection));
  }

  /** A request begins on a connection; call what is returned when it is over. */
  begin(socket: Ends | undefined): () => void {
    const key = socket && keyOf(socket);
    const connection = key === undefined ? undefined : this.#connections.get(key);
    if (connection === undefined) return () => {};
    connection.requests++;
    this.#groups.get(connection.group)?.idle.delete(connection);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (--connection.requests > 0 || connection.socket.destroyed) return;
      // At the end of the set: the first is idle the longest.
      this.#groups.get(connection.group)?.idle.add(connection);
    };
  }

  #evict(group: string | undefined): boolean {
    const [longest] = (group !== undefined && this.#groups.get(group)?.idle) || [];
    if (longest === undefined) return false;
    longest.socket.destroy();
    // `close` comes later; its place is free now.
    this.#remove(longest);
    return true;
  }

  #largest(): string | undefined {
    let most = 0;
    let largest: string | undefined;
    for (const [group, { count, idle }] of this.#groups) {
      if (idle.size > 0 && count > most) {
        most = count;
        largest = group;
      }
    }
    return largest;
  }

  #remove(connection: Connection): void {
    if (this.#connections.get(connection.key) !== connection) return;
    this.#connections.delete(connection.key);
    const entry = this.#groups.get(connection.group);
    if (entry === undefined) return;
    entry.idle.delete(connection);
    if (--entry.count === 0) this.#groups.delete(connection.group);
  }
}

/** undefined: a connection that has ended. HTTP/2 throws for one. */
function keyOf(socket: Ends): string | undefined {
  try {
    const { remoteAddress, remotePort, localPort } = socket;
    return remoteAddress === undefined ? undefined : `${localPort} ${remoteAddress} ${remotePort}`;
  } catch {
    return undefined;
  }
}
