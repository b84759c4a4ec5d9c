import { createHmac, randomBytes } from 'node:crypto';

const minute = 60_000;

/** SYN cookies: an induction costs no state, and a conclusion proves that its sender gets what is sent to its address. */
export class Cookies {
  readonly #secret = randomBytes(32);

  /** 32 bits, never 0. `now`: ms of any steady clock. */
  of(address: string, port: number, now: number): number {
    return this.#at(address, port, Math.floor(now / minute));
  }

  /** Good for one to two minutes. */
  matches(cookie: number, address: string, port: number, now: number): boolean {
    const period = Math.floor(now / minute);
    return cookie === this.#at(address, port, period) || cookie === this.#at(address, port, period - 1);
  }

  #at(address: string, port: number, period: number): number {
    return createHmac('sha256', this.#secret).update(`${address} ${port} ${period}`).digest().readUInt32BE(0) || 1;
  }
}
