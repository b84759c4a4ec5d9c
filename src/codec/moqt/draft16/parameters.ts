import { readFilter, writeFilter } from '../fields/filter.ts';
import { type KeyValuePair, readKeyValuePairs, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import { type MessageParameters, type ParameterScope, parameterTypes } from '../fields/parameters.ts';
import type { SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { boundedInteger, WireReader, WireWriter } from '../wire.ts';

type Mutable = { -readonly [K in keyof MessageParameters]: MessageParameters[K] };
type Value = bigint | Uint8Array;
type Scope = ParameterScope | 'publishOk';

/** draft-16 9.2.3. Even types are integers, odd ones bytes. */
type Rule = {
  readonly name: keyof MessageParameters;
  readonly scope: readonly Scope[];
  read(value: Value, into: Mutable): void;
  /** undefined: cannot be said, and goes without saying. */
  write(from: MessageParameters): Value | undefined;
};

type NumberName = { [K in keyof Mutable]-?: number extends Mutable[K] ? K : never }[keyof Mutable];

function integerRule(name: NumberName, scope: readonly Scope[]): Rule {
  return {
    name,
    scope,
    read: (value, into) => {
      into[name] = boundedInteger(value as bigint);
    },
    write: (from) => BigInt(from[name]!),
  };
}

/** Reads a value that has to be used up. */
function whole<T>(value: Value, read: (reader: WireReader) => T): T {
  const reader = new WireReader(value as Uint8Array, quicVarints);
  const result = read(reader);
  if (reader.remaining > 0) throw protocolViolation('bytes after the value of a message parameter');
  return result;
}

const ofSubscriptions: readonly Scope[] = ['publishOk', 'subscribe', 'requestUpdate'];

const rules: readonly Rule[] = [
  {
    name: 'objectDeliveryTimeoutMs',
    scope: ofSubscriptions,
    read: (value, into) => {
      if (value === 0n) throw protocolViolation('DELIVERY_TIMEOUT 0');
      into.objectDeliveryTimeoutMs = boundedInteger(value as bigint);
    },
    write: (from) => (from.objectDeliveryTimeoutMs === 0 ? undefined : BigInt(from.objectDeliveryTimeoutMs!)),
  },
  {
    name: 'authorizationTokens',
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
    read: (value, into) => {
      into.authorizationTokens = [...(into.authorizationTokens ?? []), value as Uint8Array];
    },
    write: () => undefined,
  },
  integerRule('expiresMs', ['subscribeOk', 'publish', 'publishOk', 'requestOk']),
  {
    name: 'largestObject',
    scope: ['subscribeOk', 'publish', 'requestOk'],
    read: (value, into) => {
      into.largestObject = whole(value, (reader) => reader.location());
    },
    write: (from) => new WireWriter(quicVarints, 16).location(from.largestObject!).finish(),
  },
  {
    name: 'forward',
    scope: [...ofSubscriptions, 'publish', 'subscribeNamespace', 'subscribeTracks'],
    read: (value, into) => {
      if (value !== 0n && value !== 1n) throw protocolViolation(`FORWARD ${value}`);
      into.forward = value === 1n;
    },
    write: (from) => (from.forward ? 1n : 0n),
  },
  {
    name: 'subscriberPriority',
    scope: [...ofSubscriptions, 'fetch'],
    read: (value, into) => {
      if ((value as bigint) > 255n) throw protocolViolation(`SUBSCRIBER_PRIORITY ${value}`);
      into.subscriberPriority = boundedInteger(value as bigint);
    },
    write: (from) => BigInt(from.subscriberPriority!),
  },
  {
    name: 'subscriptionFilter',
    scope: ofSubscriptions,
    read: (value, into) => {
      into.subscriptionFilter = whole(value, (reader) => readFilter(reader, 'absolute'));
    },
    write: (from) => filterBytes(from.subscriptionFilter!),
  },
  {
    name: 'groupOrder',
    scope: ['subscribe', 'publishOk', 'fetch'],
    read: (value, into) => {
      // As the publisher has it, in draft-14; Shaka Player 5.2 says so here too, where it should say nothing.
      if (value === 0n) return;
      if (value !== 1n && value !== 2n) throw protocolViolation(`GROUP_ORDER ${value}`);
      into.groupOrder = value === 1n ? 'ascending' : 'descending';
    },
    write: (from) => (from.groupOrder === 'ascending' ? 1n : 2n),
  },
  integerRule('newGroupRequest', ofSubscriptions),
];

const byType = new Map(rules.map((rule) => [parameterTypes[rule.name], rule]));

function filterBytes(filter: SubscriptionFilter): Uint8Array {
  const writer = new WireWriter(quicVarints, 32);
  writeFilter(writer, filter, 'absolute');
  return writer.finish();
}

/** draft-16 9.2: a count, then pairs. Unknown or repeated ones break the session, misplaced ones are ignored. */
export function readParameters(reader: WireReader, scope: Scope): MessageParameters {
  const count = reader.varint();
  const pairs = readKeyValuePairs(reader, count);
  if (pairs.length < count) throw protocolViolation('unknown message parameter above 2^53-1');
  const parameters: Mutable = {};
  let previous: number | undefined;
  for (const { type, value } of pairs) {
    const rule = byType.get(type);
    if (rule === undefined) throw protocolViolation(`unknown message parameter 0x${type.toString(16)}`);
    if (type === previous && rule.name !== 'authorizationTokens')
      throw protocolViolation(`parameter ${rule.name} twice`);
    previous = type;
    if (rule.scope.includes(scope)) rule.read(value, parameters);
  }
  return parameters;
}

/**
 * What draft-16 has no word for is a hint that may be left out: rendezvous, fill and subgroup timeouts. A priority that is no
 * byte throws INVALID_ARGUMENT.
 */
export function writeParameters(writer: WireWriter, parameters: MessageParameters): void {
  const { subscriberPriority: priority } = parameters;
  if (priority !== undefined) new WireWriter(quicVarints, 1).priority(priority);
  const pairs: KeyValuePair[] = [];
  for (const value of parameters.authorizationTokens ?? [])
    pairs.push({ type: parameterTypes.authorizationTokens, value });
  for (const rule of rules) {
    if (parameters[rule.name] === undefined) continue;
    const value = rule.write(parameters);
    if (value !== undefined) pairs.push({ type: parameterTypes[rule.name], value } as KeyValuePair);
  }
  writer.varint(pairs.length);
  writeKeyValuePairs(writer, pairs);
}
