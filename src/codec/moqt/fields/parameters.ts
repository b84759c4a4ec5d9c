import type { LocationFilter } from '../draft20/location-filter.ts';
import type { GroupOrder, Location, SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { readFilter, writeFilter } from './filter.ts';
import type { RangeFilters } from './range-filters.ts';

/** Message parameters (draft-18 10.2). Times are milliseconds; what is absent has the draft's default. */
export type MessageParameters = {
  readonly objectDeliveryTimeoutMs?: number;
  /** Token structures (10.2.2), one per repetition, undecoded. */
  readonly authorizationTokens?: readonly Uint8Array[];
  readonly rendezvousTimeoutMs?: number;
  readonly subgroupDeliveryTimeoutMs?: number;
  readonly expiresMs?: number;
  readonly largestObject?: Location;
  readonly fillTimeoutMs?: number;
  readonly forward?: boolean;
  readonly subscriberPriority?: number;
  readonly subscriptionFilter?: SubscriptionFilter;
  readonly groupOrder?: GroupOrder;
  readonly newGroupRequest?: number;
  readonly rangeFilters?: RangeFilters;
  /** What is wrong with a range filter, for INVALID_FILTER (draft-19 5.1.3); never written. */
  readonly invalidFilter?: string;
  /** Of a FETCH since draft-20, where its range travels. */
  readonly locationFilter?: LocationFilter;
  /** FILL_PARAMETERS (draft-20 10.2.15): with a subscription, what is there already of these locations is wanted too. */
  readonly fill?: MessageParameters;
  readonly includeProperties?: boolean;
  readonly trackNamespacePrefix?: readonly string[];
  /** Relays that an announcement passed, the original publisher first (draft-lcurley-moq-cluster HOP_PATH). */
  readonly hopPath?: readonly bigint[];
  /** ROUTE_COST of the same draft, 0 … 2^53-1: what is more is as bad. */
  readonly routeCost?: number;
};

type Mutable = { -readonly [K in keyof MessageParameters]: MessageParameters[K] };

/** Messages that carry parameters, for the scope rule of 10.2.1. */
export type ParameterScope =
  | 'subscribe'
  | 'subscribeOk'
  | 'publish'
  | 'requestOk'
  | 'requestUpdate'
  | 'fetch'
  | 'fetchOk'
  | 'trackStatus'
  | 'publishNamespace'
  | 'namespace'
  | 'subscribeNamespace'
  | 'subscribeTracks'
  | 'publishStateNotify'
  /** Within FILL_PARAMETERS. */
  | 'fill';

export type ParameterRule = {
  readonly type: number;
  readonly name: keyof MessageParameters;
  readonly scope: readonly ParameterScope[];
  read(reader: WireReader, into: Mutable, scope: ParameterScope): void;
  /** Absent: read only. */
  write?(writer: WireWriter, from: MessageParameters): void;
  /** It may be there more than once: how often. Absent: once, where its name is set. */
  count?(from: MessageParameters): number;
};

type NumberName = { [K in keyof Mutable]-?: number extends Mutable[K] ? K : never }[keyof Mutable];

function varintRule(type: number, name: NumberName, scope: readonly ParameterScope[]): ParameterRule {
  return {
    type,
    name,
    scope,
    read: (reader, into) => {
      into[name] = reader.bounded();
    },
    write: (writer, from) => {
      writer.varint(from[name]!);
    },
  };
}

// PUBLISH_OK, REQUEST_UPDATE_OK and TRACK_STATUS_OK are all REQUEST_OK on the wire (10.5).
const draftRules: readonly ParameterRule[] = [
  varintRule(0x02, 'objectDeliveryTimeoutMs', ['requestOk', 'subscribe', 'requestUpdate']),
  {
    type: 0x03,
    name: 'authorizationTokens',
    count: ({ authorizationTokens = [] }) => authorizationTokens.length,
    scope: [
      'publish',
      'subscribe',
      'requestUpdate',
      'subscribeNamespace',
      'subscribeTracks',
      'publishNamespace',
      'trackStatus',
      'fetch',
    ],
    read: (reader, into) => {
      into.authorizationTokens = [...(into.authorizationTokens ?? []), reader.lengthPrefixed()];
    },
    write: (writer, from) => {
      from.authorizationTokens!.forEach((token, index) => {
        if (index > 0) writer.varint(0);
        writer.lengthPrefixed(token);
      });
    },
  },
  varintRule(0x04, 'rendezvousTimeoutMs', ['subscribe']),
  varintRule(0x06, 'subgroupDeliveryTimeoutMs', ['requestOk', 'subscribe', 'requestUpdate']),
  varintRule(0x08, 'expiresMs', ['subscribeOk', 'publish', 'requestOk']),
  {
    type: 0x09,
    name: 'largestObject',
    scope: ['subscribeOk', 'publish', 'requestOk'],
    read: (reader, into) => {
      into.largestObject = reader.location();
    },
    write: (writer, from) => {
      writer.location(from.largestObject!);
    },
  },
  varintRule(0x0a, 'fillTimeoutMs', ['fetch']),
  {
    type: 0x10,
    name: 'forward',
    scope: ['subscribe', 'requestUpdate', 'publish', 'requestOk', 'subscribeTracks'],
    read: (reader, into) => {
      const value = reader.u8();
      if (value > 1) throw protocolViolation(`FORWARD ${value}`);
      into.forward = value === 1;
    },
    write: (writer, from) => {
      writer.u8(from.forward ? 1 : 0);
    },
  },
  {
    type: 0x20,
    name: 'subscriberPriority',
    scope: ['subscribe', 'fetch', 'requestUpdate', 'requestOk'],
    read: (reader, into) => {
      into.subscriberPriority = reader.u8();
    },
    write: (writer, from) => {
      writer.priority(from.subscriberPriority!);
    },
  },
  {
    type: 0x21,
    name: 'subscriptionFilter',
    scope: ['subscribe', 'requestOk', 'requestUpdate'],
    read: (reader, into) => {
      const inner = new WireReader(reader.lengthPrefixed(), reader.varints);
      into.subscriptionFilter = readFilter(inner, 'added');
      if (inner.remaining > 0) throw protocolViolation('bytes after the subscription filter');
    },
    write: (writer, from) => {
      const inner = new WireWriter(writer.varints, 32);
      writeFilter(inner, from.subscriptionFilter!, 'added');
      writer.lengthPrefixed(inner.finish());
    },
  },
  {
    type: 0x22,
    name: 'groupOrder',
    scope: ['subscribe', 'requestOk', 'fetch'],
    read: (reader, into) => {
      const value = reader.u8();
      if (value !== 1 && value !== 2) throw protocolViolation(`GROUP_ORDER ${value}`);
      into.groupOrder = value === 1 ? 'ascending' : 'descending';
    },
    write: (writer, from) => {
      writer.u8(from.groupOrder === 'ascending' ? 1 : 2);
    },
  },
  varintRule(0x32, 'newGroupRequest', ['requestOk', 'subscribe', 'requestUpdate']),
  {
    type: 0x34,
    name: 'trackNamespacePrefix',
    scope: ['requestUpdate'],
    read: (reader, into) => {
      into.trackNamespacePrefix = reader.namespace();
    },
    write: (writer, from) => {
      writer.namespace(from.trackNamespacePrefix!);
    },
  },
];

/** draft-lcurley-moq-cluster */
const clusterRules: readonly ParameterRule[] = [
  {
    type: 0x40b57,
    name: 'hopPath',
    scope: ['publishNamespace', 'namespace', 'requestUpdate'],
    read: (reader, into) => {
      into.hopPath = readHopPath(new WireReader(reader.lengthPrefixed(), reader.varints));
    },
    write: (writer, from) => {
      const inner = new WireWriter(writer.varints, 64);
      for (const hop of from.hopPath!) inner.varint(hop);
      writer.lengthPrefixed(inner.finish());
    },
  },
  {
    type: 0x40b58,
    name: 'routeCost',
    scope: ['publishNamespace', 'namespace', 'requestUpdate'],
    read: (reader, into) => {
      into.routeCost = Math.min(Number(reader.varintBig()), Number.MAX_SAFE_INTEGER);
    },
    write: (writer, from) => {
      writer.varint(from.routeCost!);
    },
  },
];

/** Nothing real comes near it. */
const maxHopPath = 256;

/** draft-lcurley-moq-cluster, HOP_PATH: as many ids as fill it, at least one; no relay twice, 0 being none. */
function readHopPath(reader: WireReader): readonly bigint[] {
  const hops: bigint[] = [];
  while (reader.remaining > 0) {
    const hop = reader.varintBig();
    if (hop !== 0n && hops.includes(hop)) throw protocolViolation('HOP_PATH with one relay twice');
    if (hops.push(hop) > maxHopPath) throw protocolViolation('HOP_PATH too long');
  }
  if (hops.length === 0) throw protocolViolation('empty HOP_PATH');
  return hops;
}

/** What the parameters of a version look like, and where they may be. */
export type ParameterRules = {
  readonly all: readonly ParameterRule[];
  readonly byType: ReadonlyMap<number, ParameterRule>;
};

function rulesOf(all: readonly ParameterRule[]): ParameterRules {
  return { all, byType: new Map(all.filter(({ scope }) => scope.length > 0).map((rule) => [rule.type, rule])) };
}

export const draft18Rules = rulesOf([...draftRules, ...clusterRules]);

/** Those of another version: the ones in `changed` instead of what has their name, or more. Ascending by type. */
export function rulesWith(base: ParameterRules, changed: readonly ParameterRule[]): ParameterRules {
  const kept = base.all.filter(({ name }) => !changed.some((rule) => rule.name === name));
  return rulesOf([...kept, ...changed].sort((a, b) => a.type - b.type));
}

/** The rule of `base` for a parameter that may be in other messages. */
export function rescoped(
  base: ParameterRules,
  name: keyof MessageParameters,
  scope: readonly ParameterScope[],
): ParameterRule {
  return { ...base.all.find((rule) => rule.name === name)!, scope };
}

/** The draft's own parameter types by name, for fixtures and inspection. */
export const parameterTypes = Object.fromEntries(draftRules.map((rule) => [rule.name, rule.type])) as Readonly<
  Record<keyof MessageParameters, number>
>;

/** draft-18 10.2: a count, then ascending delta types. Unknown, misplaced or repeated ones break the session. */
export function readParameters(
  reader: WireReader,
  scope: ParameterScope,
  { byType }: ParameterRules = draft18Rules,
): MessageParameters {
  const count = reader.varint();
  const parameters: Mutable = {};
  let type = 0;
  for (let i = 0; i < count; i++) {
    const delta = reader.varint();
    type += delta;
    const rule = byType.get(type);
    if (rule === undefined) throw protocolViolation(`unknown message parameter 0x${type.toString(16)}`);
    if (!rule.scope.includes(scope)) throw protocolViolation(`parameter ${rule.name} in ${scope}`);
    if (i > 0 && delta === 0 && rule.count === undefined) throw protocolViolation(`parameter ${rule.name} twice`);
    rule.read(reader, parameters, scope);
  }
  return parameters;
}

export function writeParameters(
  writer: WireWriter,
  parameters: MessageParameters,
  { all }: ParameterRules = draft18Rules,
): void {
  let count = 0;
  const present = all.filter((rule) => {
    if (rule.write === undefined || parameters[rule.name] === undefined) return false;
    const times = rule.count?.(parameters) ?? 1;
    count += times;
    return times > 0;
  });
  writer.varint(count);
  let previous = 0;
  for (const rule of present) {
    writer.varint(rule.type - previous);
    previous = rule.type;
    rule.write!(writer, parameters);
  }
}
