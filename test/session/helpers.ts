import { beforeEach, describe, onTestFinished } from 'vitest';
import { moqtProtocols } from '../../src/codec/moqt/dialects.ts';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import type { MoqObject } from '../../src/codec/moqt/model.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import type {
  EstablishOptions,
  IncomingSubgroup,
  IncomingSubscribe,
  Publication,
  Session,
  SubgroupHeader,
} from '../../src/session/types.ts';
import type { MemoryPair } from '../../src/transport/memory.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import type { BidiStream, ReceiveStream, Transport } from '../../src/transport/transport.ts';

export const track = { namespace: ['stream', 'org_local', 'lv_1'], name: 'video/720p' };

/** What versions can say. */
export function speech(version: string) {
  const is14 = version === 'moq-00';
  const older = is14 || version === 'moqt-16';
  const from20 = ['moqt-20', 'moqt-21', 'moqt-22'].includes(version);
  return {
    updateAnswers: !is14,
    newGroups: !is14,
    retryHints: !is14,
    rendezvous: !older,
    joiningFetch: !from20,
    publishOkTerms: !from20,
    firstObject: !older,
    tooFarBehind: !older,
    publishOkOrder: older || version === 'moqt-18',
  };
}

/** What `pair` negotiates. */
let protocol = 'moqt-18';

/** The same sessions in every version. A `rawPeer` speaks draft-18: what is about bytes belongs into a plain `describe`. */
export function describeVersions(name: string, body: (version: string) => void): void {
  describe.each(moqtProtocols)(`${name} (%s)`, (version) => {
    beforeEach(() => {
      protocol = version;
      return () => {
        protocol = 'moqt-18';
      };
    });
    body(version);
  });
}

export function pair(options: Parameters<typeof memoryPair>[0] = {}): MemoryPair {
  const both = memoryPair({ protocol, ...options });
  onTestFinished(() => both.drop());
  return both;
}

/** Both ends open. */
export async function sessions(
  options: { client?: Partial<EstablishOptions>; server?: Partial<EstablishOptions> } = {},
): Promise<{ client: Session; server: Session; drop(): void }> {
  const both = pair();
  const [client, server] = await Promise.all([
    establish(both.client, { role: 'client', ...options.client }),
    establish(both.server, { role: 'server', ...options.server }),
  ]);
  return { client, server, drop: both.drop };
}

/** A subscriber (client) and a publisher (server) of one track. */
export async function subscribed(answer: { alias?: number } = {}) {
  const publications: Publication[] = [];
  const requests: IncomingSubscribe[] = [];
  const both = await sessions({
    server: {
      handlers: {
        subscribe(request) {
          requests.push(request);
          publications.push(request.accept({ alias: answer.alias ?? 7, largest: { group: 4, object: 2 } }));
        },
      },
    },
  });
  const subscription = await both.client.subscribe(track);
  return { ...both, subscription, publication: publications[0]!, request: requests[0]!, publications };
}

/** A peer that speaks bytes: our end of a pair whose other end is a session. */
export async function rawPeer(role: 'client' | 'server', options: Partial<EstablishOptions> = {}) {
  const both = pair({ protocol: 'moqt-18' });
  const raw: Transport = role === 'server' ? both.client : both.server;
  const opening = establish(role === 'server' ? both.server : both.client, { role, ...options });
  opening.catch(() => {});
  const control = raw.openUni();
  return { raw, opening, control, setup: () => control.write(encode({ type: 'setup' })) };
}

export const encode = (message: Message) => draft18.encodeMessage(message);

/** Messages of a stream until `count` are there. */
export async function messages(stream: ReceiveStream, count: number): Promise<Message[]> {
  const decoder = draft18.controlDecoder();
  const out: Message[] = [];
  while (out.length < count) {
    const bytes = await stream.read();
    if (bytes === null) break;
    out.push(...decoder.push(bytes));
  }
  return out;
}

/** Opens a request as a raw peer. */
export function request(raw: Transport, message: Message): BidiStream {
  const stream = raw.openBidi();
  stream.send.write(encode(message));
  return stream;
}

export function header(groupId: number, more: Partial<SubgroupHeader> = {}): SubgroupHeader {
  return { groupId, subgroupId: 0, priority: 2, endOfGroup: true, ...more };
}

export function obj(objectId: number, text: string, more: Partial<MoqObject> = {}): MoqObject {
  return { objectId, status: 'normal', properties: undefined, payload: utf8(text), ...more };
}

export async function allObjects(subgroup: IncomingSubgroup): Promise<MoqObject[]> {
  const out: MoqObject[] = [];
  for (let object = await subgroup.next(); object !== null; object = await subgroup.next()) out.push(object);
  return out;
}
