import type { FetchRange } from '../../../src/codec/moqt/control/fetch.ts';
import { setupOptionTypes } from '../../../src/codec/moqt/control/setup.ts';
import type { LocationFilter } from '../../../src/codec/moqt/draft20/location-filter.ts';
import { decodeAuthToken } from '../../../src/codec/moqt/fields/auth-token.ts';
import { readKeyValuePairs } from '../../../src/codec/moqt/fields/key-value-pairs.ts';
import { type MessageParameters, parameterTypes } from '../../../src/codec/moqt/fields/parameters.ts';
import { rangeFilterTypes, rangeKinds } from '../../../src/codec/moqt/fields/range-filters.ts';
import type { Message } from '../../../src/codec/moqt/message.ts';
import type { SubscriptionFilter } from '../../../src/codec/moqt/model.ts';
import { type Varints, vi64 } from '../../../src/codec/moqt/varint.ts';
import { WireReader } from '../../../src/codec/moqt/wire.ts';
import { hex } from '../../../src/core/bytes.ts';
import { type Field, type Fields, invalidRangeFilter } from './vectors.ts';

/** What we read out of a message, in the words of moqtap-codec: fields of draft-18 and later. */

export const bytes = (value: Uint8Array): string => `0x${hex(value)}`;
export const number = (value: number | bigint): Field =>
  typeof value === 'number' || value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
const type = (code: number) => `0x${code.toString(16)}`;

export const pair = (code: number, value: Field): Fields => ({ type: type(code), value });

export function token(varints: Varints, raw: Uint8Array): Fields {
  const read = decodeAuthToken(varints, raw);
  const aliasTypes = { delete: 0, register: 1, useAlias: 2, useValue: 3 };
  return {
    alias_type: aliasTypes[read.kind],
    ...('alias' in read && { token_alias: read.alias }),
    ...('token' in read && { token_type: read.token.type, token_value: bytes(read.token.value) }),
  };
}

/** A list of properties in the form of draft-18. */
export function properties(raw: Uint8Array): Field {
  return readKeyValuePairs(new WireReader(raw, vi64)).map(({ type: code, value }) =>
    typeof value === 'bigint' ? pair(code, number(value)) : { type: type(code), raw_hex: bytes(value) },
  );
}

/** Up to draft-19: a type and what it takes; the end is said as `form` says it. */
export function filter(value: SubscriptionFilter, form: 'absolute' | 'added'): Fields {
  const types = { unfiltered: 0, nextGroup: 1, largestObject: 2, absoluteStart: 3, absoluteRange: 4 };
  const { start, endGroup } = { start: undefined, endGroup: undefined, ...value };
  return {
    filter_type: types[value.type],
    ...(start !== undefined && { start_group: start.group, start_object: start.object }),
    ...(start !== undefined &&
      endGroup !== undefined && { end_group: endGroup - (form === 'added' ? start.group : 0) }),
  };
}

/** Since draft-20; with its type since draft-22. */
function locationFilter(value: LocationFilter, typed: boolean): Fields {
  const fields = (): Fields => {
    switch (value.kind) {
      case 'all':
        return typed ? {} : { removed: true };
      case 'relative':
        return { start_group: value.groups };
      case 'nextObject':
        return typed ? {} : { start_group: 0, start_object: 0 };
      case 'absolute': {
        const { start, endGroup, endObject } = value;
        return {
          start_group: start.group,
          start_object: start.object,
          ...(endGroup !== undefined && { end_group_delta: endGroup - start.group }),
          ...(endObject !== undefined && { end_object: endObject }),
        };
      }
    }
  };
  const said = fields();
  // Up to four fields, whose number is the type.
  const code = value.kind === 'nextObject' ? 5 : Object.keys(said).length;
  return typed ? { filter_type: code, ...said } : said;
}

/** The filter of a subscription as what stands on the wire since draft-20. */
function asLocationFilter(value: SubscriptionFilter): LocationFilter {
  switch (value.type) {
    case 'unfiltered':
      return { kind: 'all' };
    case 'nextGroup':
      return { kind: 'relative', groups: 0 };
    case 'largestObject':
      return { kind: 'nextObject' };
    case 'absoluteStart':
      return { kind: 'absolute', start: value.start };
    case 'absoluteRange': {
      const { type: _, ...range } = value;
      return { kind: 'absolute', ...range };
    }
  }
}

/** One pair a filter; one that INVALID_FILTER answers is not kept, and `plain` says no more of it either. */
function rangeFilters({ rangeFilters: filters = {}, invalidFilter }: MessageParameters): Fields[] {
  const list = rangeKinds.flatMap((kind) => {
    const sets = filters[kind];
    if (sets === undefined) return [];
    const values: Fields[] = sets.map(({ set, property, ranges }) => ({
      set_id: set,
      ...(property !== undefined && { property_type: property }),
      ranges: ranges.map(({ start, end }) => ({
        start: number(start),
        ...(end !== undefined && { end: number(end) }),
      })),
    }));
    return (values.length > 0 ? values : [{ removed: true }]).map((value) => pair(rangeFilterTypes[kind], value));
  });
  return invalidFilter === undefined ? list : [...list, invalidRangeFilter];
}

export function parameters(draft: number, from: MessageParameters): Field {
  const list: Fields[] = [];
  const add = (name: keyof MessageParameters, value: Field | undefined) => {
    if (value !== undefined) list.push(pair(parameterTypes[name] ?? later[name as keyof typeof later], value));
  };
  add('objectDeliveryTimeoutMs', from.objectDeliveryTimeoutMs);
  for (const raw of from.authorizationTokens ?? []) add('authorizationTokens', token(vi64, raw));
  add('rendezvousTimeoutMs', from.rendezvousTimeoutMs);
  add('subgroupDeliveryTimeoutMs', from.subgroupDeliveryTimeoutMs);
  add('expiresMs', from.expiresMs);
  add('largestObject', from.largestObject);
  add('fillTimeoutMs', from.fillTimeoutMs);
  add('forward', from.forward === undefined ? undefined : Number(from.forward));
  add('subscriberPriority', from.subscriberPriority);
  const { subscriptionFilter: wanted, locationFilter: range } = from;
  if (wanted !== undefined)
    add(
      'subscriptionFilter',
      draft < 20 ? filter(wanted, 'added') : locationFilter(asLocationFilter(wanted), draft >= 22),
    );
  if (range !== undefined) add('locationFilter', locationFilter(range, draft >= 22));
  add('groupOrder', order(from.groupOrder));
  add('fill', from.fill && parameters(draft, from.fill));
  list.push(...rangeFilters(from));
  add('newGroupRequest', from.newGroupRequest);
  add('trackNamespacePrefix', from.trackNamespacePrefix);
  add('includeProperties', from.includeProperties === undefined ? undefined : Number(from.includeProperties));
  return list;
}

const later = { locationFilter: 0x21, fill: 0x23, includeProperties: 0x35 } as const;

export function order(value: 'ascending' | 'descending' | undefined): Field | undefined {
  return value === undefined ? undefined : value === 'ascending' ? 1 : 2;
}

/** Pairs of setup options, in the order of their types. */
export function setupOptions(
  varints: Varints,
  setup: Extract<Message, { type: 'setup' | 'clientSetup' | 'serverSetup' }>,
): Fields[] {
  const list: [code: number, value: Field | undefined][] = [
    [setupOptionTypes.path, setup.path],
    [0x02, 'maxRequestId' in setup ? setup.maxRequestId : undefined],
    ...(setup.authorizationTokens ?? []).map(
      (raw) => [setupOptionTypes.authorizationToken, token(varints, raw)] as [number, Field],
    ),
    [setupOptionTypes.maxAuthTokenCacheSize, setup.maxAuthTokenCacheSize],
    [setupOptionTypes.authority, setup.authority],
    [0x06, 'maxFilterRanges' in setup ? setup.maxFilterRanges : undefined],
    [setupOptionTypes.implementation, setup.implementation],
    [0x08, setup.maxRequestUpdates],
  ];
  return list.flatMap(([code, value]) => (value === undefined ? [] : [pair(code, value)]));
}

export function range(value: FetchRange): Fields {
  if (value.kind !== 'standalone') {
    return {
      fetch_type: value.kind === 'relativeJoining' ? 2 : 3,
      joining_request_id: value.joiningRequestId,
      joining_start: value.start,
    };
  }
  return {
    fetch_type: 1,
    track_namespace: value.track.namespace,
    track_name: value.track.name,
    start_group: value.start.group,
    start_object: value.start.object,
    end_group: value.end.group,
    end_object: value.end.object,
  };
}

/** A FETCH since draft-20: its range as LOCATION_FILTER, if it has one. */
function laterFetch(draft: number, message: Message & { type: 'fetch' }): Fields {
  if (message.range.kind !== 'standalone') throw new Error('a joining fetch');
  const { track, start, end } = message.range;
  const ofRange = (): LocationFilter | undefined => {
    if (message.parameters.locationFilter !== undefined) return message.parameters.locationFilter;
    const open = end.group === Number.MAX_SAFE_INTEGER;
    if (open && start.group === 0 && start.object === 0) return undefined;
    if (open) return { kind: 'absolute', start };
    const group = { kind: 'absolute', start, endGroup: end.group } as const;
    return end.object === 0 ? group : { ...group, endObject: end.object - 1 };
  };
  const locationFilter = ofRange();
  return {
    request_id: message.requestId,
    track_namespace: track.namespace,
    track_name: track.name,
    parameters: parameters(draft, {
      ...message.parameters,
      ...(locationFilter !== undefined && { locationFilter }),
    }),
  };
}

export function fieldsOf(draft: number, message: Message): Fields {
  const params = 'parameters' in message ? parameters(draft, message.parameters ?? {}) : [];
  switch (message.type) {
    case 'setup':
      return { options: setupOptions(vi64, message) };
    case 'goaway':
      return {
        new_session_uri: message.uri,
        timeout: message.timeoutMs,
        ...(message.requestId !== undefined && { request_id: message.requestId }),
      };
    case 'requestOk':
      return { parameters: params, track_properties: properties(message.trackProperties) };
    case 'requestError':
      return {
        error_code: message.code,
        retry_interval: message.retryMs === undefined ? 0 : message.retryMs + 1,
        reason_phrase: message.reason,
        ...(message.redirect !== undefined && {
          redirect: {
            connect_uri: message.redirect.uri,
            track_namespace: message.redirect.track.namespace,
            track_name: message.redirect.track.name,
          },
        }),
      };
    case 'subscribe':
    case 'trackStatus':
      return {
        request_id: message.requestId,
        track_namespace: message.track.namespace,
        track_name: message.track.name,
        parameters: params,
      };
    case 'subscribeOk':
      return {
        track_alias: message.trackAlias,
        parameters: params,
        track_properties: properties(message.trackProperties),
      };
    case 'requestUpdate':
      return { request_id: message.requestId, parameters: params };
    case 'publish':
      return {
        request_id: message.requestId,
        track_namespace: message.track.namespace,
        track_name: message.track.name,
        track_alias: message.trackAlias,
        parameters: params,
        track_properties: properties(message.trackProperties),
      };
    case 'publishStateNotify':
      return { parameters: params };
    case 'publishDone':
      return {
        status_code: message.status,
        stream_count: message.streamCount ?? 'unknown',
        reason_phrase: message.reason,
      };
    case 'publishNamespace':
      return { request_id: message.requestId, track_namespace: message.namespace, parameters: params };
    case 'namespace':
    case 'namespaceDone':
      return { namespace_suffix: message.suffix };
    case 'subscribeNamespace':
    case 'subscribeTracks':
      return { request_id: message.requestId, namespace_prefix: message.prefix, parameters: params };
    case 'fetch':
      if (draft >= 20) return laterFetch(draft, message);
      return { request_id: message.requestId, ...range(message.range), parameters: params };
    case 'fetchOk':
      return {
        end_of_track: Number(message.endOfTrack),
        end_group: message.end.group,
        // Since draft-20 the last object itself, and of a whole group the largest id that we can say.
        end_object:
          draft < 20 ? message.end.object : message.end.object === 0 ? Number.MAX_SAFE_INTEGER : message.end.object - 1,
        parameters: params,
        track_properties: properties(message.trackProperties),
      };
    case 'publishBlocked':
      return { namespace_suffix: message.track.namespace, track_name: message.track.name };
    default:
      throw new Error(`${message.type} in draft-${draft}`);
  }
}
