import { StreamsError } from '../../../core/errors.ts';

/** A conclusion that was answered or is being decided: callers repeat theirs until they hear. */
export type Caller = {
  readonly key: string;
  readonly address: string;
  answer: Uint8Array | undefined;
  /** ms of the steady clock; infinite while it is decided or connected. */
  forgetAt: number;
};

const maxCallers = 4096;
/** Callers of one address that are decided or remembered, beside its connections. */
const sparePerAddress = 64;

/** Who has concluded a handshake, so that nobody is asked about twice. Bounded, also for each address. */
export class Callers {
  readonly #callers = new Map<string, Caller>();
  readonly #perAddress = new Map<string, number>();
  readonly #maxOfAddress: number;

  constructor(connectionsPerAddress: number) {
    this.#maxOfAddress = connectionsPerAddress + sparePerAddress;
  }

  get size(): number {
    return this.#callers.size;
  }

  find(address: string, port: number, socketId: number): Caller | undefined {
    return this.#callers.get(keyOf(address, port, socketId));
  }

  /** Throws LIMIT_EXCEEDED. */
  add(address: string, port: number, socketId: number): Caller {
    const ofAddress = this.#perAddress.get(address) ?? 0;
    if (this.#callers.size >= maxCallers) throw new StreamsError('LIMIT_EXCEEDED', 'too many SRT callers at once');
    if (ofAddress >= this.#maxOfAddress)
      throw new StreamsError('LIMIT_EXCEEDED', 'too many SRT callers of one address');
    const key = keyOf(address, port, socketId);
    const caller: Caller = { key, address, answer: undefined, forgetAt: Number.POSITIVE_INFINITY };
    this.#callers.set(key, caller);
    this.#perAddress.set(address, ofAddress + 1);
    return caller;
  }

  /** Forgets those whose time has come. */
  sweep(now: number): void {
    for (const { key, address, forgetAt } of this.#callers.values()) {
      if (forgetAt > now) continue;
      this.#callers.delete(key);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    }
  }
}

function keyOf(address: string, port: number, socketId: number): string {
  return `${address} ${port} ${socketId}`;
}
