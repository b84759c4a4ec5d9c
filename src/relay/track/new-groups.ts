/**
 * What the viewers of a track ask of its publisher: a new group, soon (draft-18 10.2.13). Of requests that mean the same only
 * one goes upstream, until a new group has come.
 */
export class NewGroupRequests {
  /** Sent, and not answered by a new group yet. */
  #outstanding: number | undefined;
  /** Asked for while there is no subscription upstream. */
  #waiting: number | undefined;
  #send: ((value: number) => void) | undefined;

  /** `value`: the largest group that the viewer knows plus one, 0 if none; `largest`: that of the track. */
  ask(value: number, largest: number | undefined): void {
    if (value !== 0 && largest !== undefined && value <= largest) return;
    if (this.#outstanding !== undefined && this.#outstanding >= value) return;
    if (this.#send === undefined) {
      this.#waiting = Math.max(this.#waiting ?? 0, value);
      return;
    }
    this.#outstanding = value;
    this.#send(value);
  }

  /** For the SUBSCRIBE that goes upstream now. */
  takeWaiting(): number | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#outstanding = waiting;
    return waiting;
  }

  /** There is a subscription upstream, or none any more. `send` does nothing where the publisher cannot. */
  connect(send: ((value: number) => void) | undefined): void {
    this.#send = send;
    if (send === undefined) this.#outstanding = undefined;
  }

  /** The track has a group larger than all before. */
  cameTrue(): void {
    this.#outstanding = undefined;
  }
}
