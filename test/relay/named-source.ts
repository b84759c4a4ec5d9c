import { expect } from 'vitest';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import type { RelayCore } from '../../src/relay/relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers, SubscribeOptions, Subscription } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { eventually } from './eventually.ts';

export const namespace = ['demo', 'room'];
export const track = { namespace, name: 'video' };

export async function client(relay: RelayCore, protocol: string, handlers: SessionHandlers = {}) {
  const pair = memoryPair({ protocol, path: '/' });
  void relay.serve(pair.server);
  return { session: await establish(pair.client, { role: 'client', handlers }), drop: () => pair.drop() };
}

/** A publisher whose objects say whose they are: groups of two, `<name> <group>.<object>`. */
export class Source {
  readonly #name: string;
  readonly publications: Publication[] = [];
  session!: Session;
  drop!: () => void;

  constructor(name: string) {
    this.#name = name;
  }

  static async start(name: string, relay: RelayCore, protocol: string): Promise<Source> {
    const source = new Source(name);
    const { session, drop } = await client(relay, protocol, {
      subscribe: (request) => void source.publications.push(request.accept({ alias: 7 })),
    });
    source.session = session;
    source.drop = drop;
    await session.publishNamespace(namespace);
    return source;
  }

  async read(): Promise<void> {
    await eventually(() => expect(this.publications).toHaveLength(1));
  }

  send(groupId: number, texts = [`${this.#name} ${groupId}.0`, `${this.#name} ${groupId}.1`]): void {
    const header = { groupId, subgroupId: 0, priority: 5, endOfGroup: true, firstObject: true };
    const writer = this.publications.at(-1)!.openSubgroup(header);
    for (const [objectId, text] of texts.entries()) {
      writer.write({ objectId, status: 'normal', properties: undefined, payload: utf8(text) });
    }
    writer.finish();
  }
}

/** All that comes of the subscription, in order. */
function follow(subscription: Subscription): string[] {
  const seen: string[] = [];
  void (async () => {
    for (let group = await subscription.nextSubgroup(); group !== null; group = await subscription.nextSubgroup()) {
      try {
        for (let next = await group.next(); next !== null; next = await group.next()) seen.push(fromUtf8(next.payload));
      } catch {
        seen.push('reset');
      }
    }
  })();
  return seen;
}

export async function subscribed(session: Session, options: SubscribeOptions = {}) {
  const subscription = await session.subscribe(track, { rendezvousMs: 5000, ...options });
  return { subscription, seen: follow(subscription) };
}

/** What a group of a source says. */
export const both = (name: string, group: number): string[] => [`${name} ${group}.0`, `${name} ${group}.1`];
