import { type Catalog, encodeCatalog } from '../../../src/codec/catalog/streams-catalog.ts';
import { writeFragment } from '../../../src/codec/cmaf/fragment.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { deferred } from '../../../src/core/deferred.ts';
import { establish } from '../../../src/session/establish.ts';
import type { EstablishOptions, IncomingSubscribe, Publication, Session } from '../../../src/session/types.ts';
import { type MemoryPair, memoryPair } from '../../../src/transport/memory.ts';

export const namespace = ['stream', 'org_local', 'lv_show'];
export const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [{ name: 'video/720p', kind: 'video', codec: 'avc1.64001f', width: 1280, height: 720 }],
};

export function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'EdDSA' })}.${part(claims)}.c2ln`;
}

export const url = `https://relay.test/playback/lv_show?tok=${token({ ns: [namespace.join('/')] })}`;

export const object = (objectId: number, payload: Uint8Array | string = `object ${objectId}`) => ({
  objectId,
  status: 'normal' as const,
  properties: undefined,
  payload: typeof payload === 'string' ? utf8(payload) : payload,
});

export const header = (groupId: number, subgroupId = 0) => ({ groupId, subgroupId, priority: 2, endOfGroup: true });

/** A fragment as the engine writes them, produced `agoMs` ago. */
export const fragment = (agoMs: number) =>
  writeFragment({
    trackId: 1,
    sequence: 1,
    decodeTime: 0,
    duration: 3000,
    compositionOffset: 0,
    keyframe: true,
    data: utf8('picture'),
    wallClock: Date.now() - agoMs,
  });

/** One accepted connection of a relay in memory: the session's own publisher API at the other end of the viewer. */
export class RelaySide {
  readonly pair: MemoryPair;
  readonly session: Promise<Session>;
  readonly #waiting: IncomingSubscribe[] = [];
  readonly #arrived: (() => void)[] = [];
  #nextAlias = 1;

  constructor(options: Pick<EstablishOptions, 'authorise'> = {}) {
    this.pair = memoryPair({ protocol: 'moqt-18', path: '/playback/lv_show' });
    const handlers = {
      subscribe: (request: IncomingSubscribe) => {
        this.#waiting.push(request);
        for (const notice of this.#arrived.splice(0)) notice();
      },
    };
    this.session = establish(this.pair.server, { role: 'server', handlers, ...options });
    this.session.catch(() => {});
  }

  /** The next SUBSCRIBE for a track. */
  async request(name: string): Promise<IncomingSubscribe> {
    for (;;) {
      const index = this.#waiting.findIndex(({ track }) => track.name === name);
      if (index >= 0) return this.#waiting.splice(index, 1)[0]!;
      const next = deferred<void>();
      this.#arrived.push(() => next.resolve());
      await next.promise;
    }
  }

  async accept(name: string): Promise<Publication> {
    return (await this.request(name)).accept({ alias: this.#nextAlias++ });
  }

  async publishCatalog(groupId = 0, value: Catalog = catalog): Promise<Publication> {
    const publication = await this.accept('.catalog');
    const group = publication.openSubgroup(header(groupId));
    group.write(object(0, encodeCatalog(value)));
    group.finish();
    return publication;
  }
}

/** Objects `from` to `to` of a whole group. */
export function publishGroup(publication: Publication, groupId: number, to = 2): void {
  const group = publication.openSubgroup(header(groupId));
  for (let id = 0; id <= to; id++) group.write(object(id));
  group.finish();
}
