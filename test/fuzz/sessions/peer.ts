import { concat } from '../../../src/core/bytes.ts';
import { establish } from '../../../src/session/establish.ts';
import type {
  FetchedObjects,
  IncomingSubgroup,
  MoqObject,
  Publication,
  PublishedNamespace,
  Session,
  SessionHandlers,
  SubgroupWriter,
  Subscription,
} from '../../../src/session/types.ts';
import type { MemoryPair } from '../../../src/transport/memory.ts';
import type { BidiStream, SendStream } from '../../../src/transport/transport.ts';

export type Dice = {
  below(limit: number): number;
  pick<T>(values: readonly T[]): T;
  chance(probability: number): boolean;
  /** Wire bytes that are almost right. */
  bytes(): Uint8Array;
};

/** `lawful`: what well-behaved peers say. `odd`: values from the edges too. `wild`: bytes of no meaning as well. */
const manners = ['lawful', 'lawful', 'lawful', 'odd', 'odd', 'wild'] as const;

/** Few, so that peers meet: the first two are those of lawful peers. The others are at the edge of what may be said. */
const namespaces: readonly (readonly string[])[] = [
  ['stream', 'org_a', 'lv_one'],
  ['stream', 'org_a', 'lv_two'],
  ['stream', 'org_a'],
  ['stream'],
  [],
  [''],
  // With the root of two fields that half of the peers have they are at the limit of a whole name, or over it.
  ...[29, 30, 31, 32, 33].map((length) => Array.from({ length }, (_, i) => `f${i}`)),
  ...[4070, 4090].map((length) => ['x'.repeat(length)]),
];
const trackNames = ['video', 'audio', '', 'x'.repeat(4096)];
const numbers = [0, 1, 2, 3, 5, 63, 64, 2 ** 14, 2 ** 30, 2 ** 32, 2 ** 53 - 2, Number.MAX_SAFE_INTEGER];
const hops = [0n, 1n, 2n ** 62n - 1n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];
/** 16,383 pairs of two bytes in draft-18 whose values take two bytes each in draft-16: they fit there and not here. */
const manyPairs = new Uint8Array(2 * 32_767);
for (let at = 1; at < manyPairs.length; at += 2) manyPairs[at] = 0x7f;
const properties = [
  undefined,
  manyPairs,
  new Uint8Array(),
  Uint8Array.of(0x3e, 0x80, 0xc8),
  Uint8Array.of(0x01, 0x7f),
  Uint8Array.of(0xff),
];

/** One peer of a relay that does what a dice says: what its API lets it, and bytes of no meaning beside that. */
export class RandomPeer {
  readonly #pair: MemoryPair;
  readonly #dice: Dice;
  readonly #namespaces: PublishedNamespace[] = [];
  readonly #publications: Publication[] = [];
  readonly #writers: SubgroupWriter[] = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #subgroups: IncomingSubgroup[] = [];
  readonly #fetches: FetchedObjects[] = [];
  readonly #raw: SendStream[] = [];
  readonly #writing = new Map<SubgroupWriter, { properties: boolean; nextObject: number }>();
  readonly #manner: (typeof manners)[number];
  #session: Session | undefined;
  #next = 0;

  constructor(pair: MemoryPair, dice: Dice) {
    this.#pair = pair;
    this.#dice = dice;
    this.#manner = dice.pick(manners);
  }

  /** Most shake hands; the others are heard of by their bytes only. */
  begin(): void {
    const { pick, chance } = this.#dice;
    if (this.#manner === 'wild' && chance(0.5)) return;
    const relayHop = this.#manner !== 'lawful' && chance(0.3) ? { hopId: pick(hops) } : {};
    const path = pick(['/publish/lv_one', '/playback/lv_one', '']);
    attempt(async () => {
      this.#session = await establish(this.#pair.client, {
        role: 'client',
        path,
        handlers: this.#handlers(),
        ...relayHop,
      });
    });
  }

  /** The connection ends, politely or not. */
  end(): void {
    if (this.#dice.chance(0.3)) this.#pair.drop();
    else this.#pair.client.close({ code: this.#dice.pick(numbers), reason: 'over' });
  }

  step(): void {
    const { below } = this.#dice;
    attempt(() => (this.#manner === 'wild' && below(5) === 0 ? this.#nonsense() : this.#act()));
  }

  get #lawful(): boolean {
    return this.#manner === 'lawful' || this.#dice.chance(0.7);
  }

  /** Numbers of the lawful go up. */
  #number(): number {
    return this.#lawful ? this.#next++ : this.#dice.pick(numbers);
  }

  #namespace(): readonly string[] {
    return this.#dice.pick(this.#lawful ? namespaces.slice(0, 2) : namespaces);
  }

  #properties(): Uint8Array {
    return (this.#lawful ? undefined : this.#dice.pick(properties)) ?? new Uint8Array();
  }

  #track() {
    const { pick } = this.#dice;
    return { namespace: [...this.#namespace()], name: pick(this.#lawful ? trackNames.slice(0, 2) : trackNames) };
  }

  async #act(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.#manner === 'wild' ? this.#nonsense() : undefined;
    const { below, pick, chance } = this.#dice;
    switch (below(24)) {
      case 0: {
        const told = this.#lawful ? undefined : [pick(hops), pick(hops)];
        this.#namespaces.push(await session.publishNamespace(this.#namespace(), told));
        return;
      }
      case 1:
        return chance(0.3) ? taken(this.#namespaces, below)?.withdraw() : undefined;
      case 2:
      case 3: {
        const more = { priority: pick([0, 255]), rendezvousMs: pick([0, 50]), forward: chance(0.8) };
        const subscription = await session.subscribe(this.#track(), more);
        this.#subscriptions.push(subscription);
        attempt(async () => {
          for (let next = await subscription.nextSubgroup(); next !== null; next = await subscription.nextSubgroup())
            this.#subgroups.push(next);
        });
        return;
      }
      case 4:
        return chance(0.3) ? taken(this.#subscriptions, below)?.unsubscribe() : undefined;
      case 5: {
        if (this.#subscriptions.length === 0) return;
        await pick(this.#subscriptions).update({ forward: chance(0.5), priority: below(256) });
        return;
      }
      case 6: {
        const start = this.#lawful ? { group: 0, object: 0 } : { group: pick(numbers), object: pick(numbers) };
        const end = this.#lawful ? { group: this.#next, object: 0 } : { group: pick(numbers), object: pick(numbers) };
        const fetched = await session.fetch({ track: this.#track(), start, end });
        this.#fetches.push(fetched);
        await fetched.next();
        return;
      }
      case 7:
        return taken(this.#fetches, below)?.stop();
      case 8:
        await session.trackStatus(this.#track());
        return;
      case 9: {
        const offer = { alias: this.#number(), trackProperties: this.#properties() };
        this.#publications.push(await session.publish(this.#track(), offer));
        return;
      }
      case 10:
        await (chance(0.5)
          ? session.subscribeNamespace(this.#namespace())
          : session.subscribeTracks(this.#namespace()));
        return;
      case 11:
        return chance(0.3) ? taken(this.#publications, below)?.done(pick(numbers), 'over') : undefined;
      case 12:
        return taken(this.#subgroups, below)?.stop(pick(numbers));
      default:
        return this.#send();
    }
  }

  #send(): void {
    const { below, pick, chance } = this.#dice;
    if (this.#publications.length === 0) return;
    if (this.#writers.length === 0 || chance(0.2)) {
      const ids = { groupId: this.#number(), subgroupId: this.#lawful ? 0 : pick(numbers) };
      const has = chance(0.3);
      const more = { priority: below(256), endOfGroup: chance(0.5), properties: has, firstObject: chance(0.5) };
      const writer = pick(this.#publications).openSubgroup({ ...ids, ...more });
      this.#writers.push(writer);
      this.#writing.set(writer, { properties: has, nextObject: 0 });
      return;
    }
    const writer = pick(this.#writers);
    const state = this.#writing.get(writer)!;
    const full = this.#lawful || chance(0.7);
    const object: MoqObject = {
      objectId: this.#lawful ? state.nextObject++ : pick(numbers),
      status: full ? 'normal' : pick(['endOfGroup', 'endOfTrack'] as const),
      properties: this.#lawful && !state.properties ? undefined : this.#properties(),
      payload: new Uint8Array(full ? 1 + below(200) : 0),
    };
    switch (below(12)) {
      case 0:
        taken(this.#writers, below)?.reset(pick(numbers));
        break;
      case 1:
      case 2:
        taken(this.#writers, below)?.finish();
        break;
      case 3: {
        const datagram = { groupId: this.#number(), priority: below(256), endOfGroup: chance(0.5), object };
        pick(this.#publications).sendDatagram(datagram);
        break;
      }
      default:
        writer.write(object);
    }
  }

  /** Bytes beside the session, or in the place of one. */
  #nonsense(): void {
    const { below, pick, chance, bytes } = this.#dice;
    const { client } = this.#pair;
    switch (below(6)) {
      case 0:
        this.#raw.push(client.openUni({ head: bytes() }));
        return;
      case 1: {
        const stream: BidiStream = client.openBidi();
        stream.send.write(concat([bytes(), chance(0.5) ? bytes() : new Uint8Array()]));
        this.#raw.push(stream.send);
        return;
      }
      case 2:
        client.sendDatagram(bytes().slice(0, 1200));
        return;
      case 3:
        if (this.#raw.length > 0) pick(this.#raw).write(bytes());
        return;
      case 4:
        taken(this.#raw, below)?.finish();
        return;
      default:
        taken(this.#raw, below)?.reset(pick(numbers));
    }
  }

  /** What the relay asks of it: accepted, refused, revoked, answered late, twice or never. */
  #handlers(): SessionHandlers {
    const { pick, chance, below } = this.#dice;
    const answer = (accept: () => void, reject: () => void) => {
      const say = () => attempt(chance(0.9) ? accept : reject);
      if (!this.#lawful && chance(0.3)) return;
      if (chance(0.2)) setTimeout(say, below(5));
      else say();
      if (!this.#lawful && chance(0.2)) say();
    };
    return {
      subscribe: (request) =>
        answer(
          () => {
            const largest = this.#lawful ? {} : { largest: { group: pick(numbers), object: pick(numbers) } };
            const trackProperties = this.#properties();
            this.#publications.push(request.accept({ alias: this.#number(), ...largest, trackProperties }));
          },
          () => request.reject(pick(numbers), 'no'),
        ),
      fetch: (request) =>
        answer(
          () => {
            const writer = request.accept({ end: request.end, endOfTrack: chance(0.5) });
            if (chance(0.5)) writer.finish();
            else writer.reset(pick(numbers));
          },
          () => request.reject(pick(numbers), 'no'),
        ),
      trackStatus: (request) =>
        answer(
          () => request.accept({}),
          () => request.reject(pick(numbers), 'no'),
        ),
      publish: (request) =>
        answer(
          () => void this.#subscriptions.push(request.accept()),
          () => request.reject(pick(numbers), 'no'),
        ),
    };
  }
}

function taken<T>(list: T[], below: (limit: number) => number): T | undefined {
  return list.length === 0 ? undefined : list.splice(below(list.length), 1)[0];
}

/** What a peer may not do, or is refused, is no finding. */
function attempt(run: () => unknown): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(() => {});
  } catch {}
}
