import type { SessionContext } from './context.ts';
import { Fetcher } from './subscribe/fetcher.ts';
import { Subscriber } from './subscribe/subscriber.ts';

/** What a session gets from its peer. Made when it asks for something, as the session of a viewer at a relay never does. */
export class Consumer {
  readonly #context: SessionContext;
  #subscriber: Subscriber | undefined;
  #fetcher: Fetcher | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get subscriber(): Subscriber {
    this.#subscriber ??= new Subscriber(this.#context);
    return this.#subscriber;
  }
  get fetcher(): Fetcher {
    this.#fetcher ??= new Fetcher(this.#context);
    return this.#fetcher;
  }

  sessionEnded(): void {
    this.#subscriber?.sessionEnded();
  }
}
