import type { Authoriser } from '../../src/access/grant.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { RelayLimits } from '../../src/relay/limits.ts';
import { createRelay, type RelayCore } from '../../src/relay/relay.ts';
import { establish } from '../../src/session/establish.ts';
import type {
  IncomingSubgroup,
  IncomingSubscribe,
  MoqObject,
  Publication,
  PublishedNamespace,
  Session,
  SessionHandlers,
  SubgroupWriter,
  Subscription,
} from '../../src/session/types.ts';
import { type MemoryPair, memoryPair } from '../../src/transport/memory.ts';

export const namespace = ['stream', 'org_a', 'lv_one'];
export const track = { namespace, name: 'video/720p' };

/** `/publish/<id>` and `/playback/<id>` without credentials. */
export const openAuthoriser: Authoriser = {
  async authorise({ path }) {
    const [, kind, id] = path.replace(/[?].*/, '').split('/');
    const own = [['stream', 'org_a', id!]];
    const publish = kind === 'publish';
    return {
      kind: publish ? 'publish' : 'playback',
      publish: publish ? own : [],
      subscribe: publish ? [] : own,
      lapsed: () => undefined,
      watch: () => () => {},
    };
  },
};

export function testRelay(limits: Partial<RelayLimits> = {}, authoriser = openAuthoriser): RelayCore {
  return createRelay({ authoriser, logger: silentLogger, limits });
}

export type Client = { session: Session; pair: MemoryPair };

export async function connect(
  relay: RelayCore,
  path: string,
  options: SessionHandlers & { protocol?: string; highWaterBytes?: number } = {},
): Promise<Client> {
  const { highWaterBytes, protocol = 'moqt-18', ...handlers } = options;
  const pair = memoryPair({ protocol, path, ...(highWaterBytes !== undefined && { highWaterBytes }) });
  void relay.serve(pair.server);
  return { session: await establish(pair.client, { role: 'client', handlers }), pair };
}

/** A publisher of `namespace` that accepts every subscription and counts them. */
export class TestPublisher {
  readonly client: Client;
  announced!: PublishedNamespace;
  readonly requests: IncomingSubscribe[];
  readonly publications: Publication[];

  constructor(client: Client, requests: IncomingSubscribe[], publications: Publication[]) {
    this.client = client;
    this.requests = requests;
    this.publications = publications;
  }

  static async start(
    relay: RelayCore,
    answer?: (request: IncomingSubscribe) => void,
    more: SessionHandlers = {},
  ): Promise<TestPublisher> {
    const requests: IncomingSubscribe[] = [];
    const publications: Publication[] = [];
    const accept = (request: IncomingSubscribe): void => void publications.push(request.accept({ alias: 7 }));
    const client = await connect(relay, '/publish/lv_one', {
      ...more,
      subscribe(request) {
        requests.push(request);
        (answer ?? accept)(request);
      },
    });
    const publisher = new TestPublisher(client, requests, publications);
    publisher.announced = await client.session.publishNamespace(namespace);
    return publisher;
  }

  /** On the newest subscription. */
  open(groupId: number, options: { properties?: boolean } = {}): SubgroupWriter {
    const header = { groupId, subgroupId: 0, priority: 100, endOfGroup: true, firstObject: true, ...options };
    return this.publications.at(-1)!.openSubgroup(header);
  }

  /** A whole group of objects with these payload sizes; the first byte of a payload is the group, the second the object. */
  group(groupId: number, sizes: number[]): void {
    const writer = this.open(groupId);
    for (const [objectId, size] of sizes.entries()) writer.write(object(groupId, objectId, size));
    writer.finish();
  }
}

export function object(groupId: number, objectId: number, size = 10): MoqObject {
  const payload = new Uint8Array(size).fill(objectId);
  payload[0] = groupId;
  payload[1] = objectId;
  return { objectId, status: 'normal', properties: undefined, payload };
}

export async function watch(relay: RelayCore, protocol = 'moqt-18'): Promise<Client> {
  return connect(relay, '/playback/lv_one', { protocol });
}

export type Received = { group: number; ids: number[]; end: 'fin' | 'reset'; sizes: number[] };

export async function readSubgroup(subgroup: IncomingSubgroup): Promise<Received> {
  const received: Received = { group: subgroup.groupId, ids: [], end: 'fin', sizes: [] };
  try {
    for (let next = await subgroup.next(); next !== null; next = await subgroup.next()) {
      if (next.payload[0] !== subgroup.groupId || next.payload[1] !== next.objectId) received.ids.push(Number.NaN);
      received.ids.push(next.objectId);
      received.sizes.push(next.payload.length);
    }
  } catch {
    received.end = 'reset';
  }
  return received;
}

export async function nextGroup(subscription: Subscription): Promise<Received> {
  const subgroup = await subscription.nextSubgroup();
  if (subgroup === null) throw new RangeError('the subscription has ended');
  return readSubgroup(subgroup);
}
