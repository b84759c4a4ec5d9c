import * as draft14 from '../../../src/codec/moqt/draft14/error-codes.ts';
import { toPublishDoneCode as toDraft16 } from '../../../src/codec/moqt/draft16/error-codes.ts';
import type { MessageParameters } from '../../../src/codec/moqt/fields/parameters.ts';
import type { Message } from '../../../src/codec/moqt/message.ts';
import type { SubscriptionFilter } from '../../../src/codec/moqt/model.ts';
import { quicVarints } from '../../../src/codec/moqt/quic-varints.ts';
import { filter, order, pair, properties, range, setupOptions, token } from './fields.ts';
import type { Field, Fields } from './vectors.ts';

/** The same for draft-16 and draft-14, whose messages name their request. */

function parameters16(from: MessageParameters): Field {
  const wanted = from.subscriptionFilter;
  const list: [code: number, value: Field | undefined][] = [
    [0x02, from.objectDeliveryTimeoutMs],
    ...(from.authorizationTokens ?? []).map((raw) => [0x03, token(quicVarints, raw)] as [number, Field]),
    [0x08, from.expiresMs],
    [0x09, from.largestObject],
    [0x10, from.forward === undefined ? undefined : Number(from.forward)],
    [0x20, from.subscriberPriority],
    [0x21, wanted && filter(wanted, 'absolute')],
    [0x22, order(from.groupOrder)],
    [0x32, from.newGroupRequest],
  ];
  return list.flatMap(([code, value]) => (value === undefined ? [] : [pair(code, value)]));
}

/** What a message has in both. */
function shared(message: Message): Fields {
  switch (message.type) {
    case 'goaway':
      return { new_session_uri: message.uri };
    case 'maxRequestId':
      return { max_request_id: message.max };
    case 'requestsBlocked':
      return { maximum_request_id: message.max };
    case 'unsubscribe':
    case 'fetchCancel':
      return { request_id: message.requestId };
    default:
      throw new Error(`${message.type} is not known here`);
  }
}

const requestId = (message: { readonly requestId?: number }): Fields => ({ request_id: message.requestId! });
const extensions = (raw: Uint8Array): Fields => (raw.length === 0 ? {} : { track_extensions: properties(raw) });

export function fieldsOf16(message: Message): Fields {
  const params = { parameters: 'parameters' in message ? parameters16(message.parameters ?? {}) : [] };
  switch (message.type) {
    case 'clientSetup':
    case 'serverSetup':
      return { parameters: setupOptions(quicVarints, message) };
    case 'requestOk':
    case 'publishOk':
      return { ...requestId(message), ...params };
    case 'requestError':
      return {
        ...requestId(message),
        error_code: message.code,
        retry_interval: message.retryMs === undefined ? 0 : message.retryMs + 1,
        reason_phrase: message.reason,
      };
    case 'subscribe':
    case 'trackStatus':
      return {
        ...requestId(message),
        track_namespace: message.track.namespace,
        track_name: message.track.name,
        ...params,
      };
    case 'subscribeOk':
      return {
        ...requestId(message),
        track_alias: message.trackAlias,
        ...params,
        ...extensions(message.trackProperties),
      };
    case 'requestUpdate':
      return { ...requestId(message), existing_request_id: message.existingRequestId!, ...params };
    case 'publish':
      return {
        ...requestId(message),
        track_namespace: message.track.namespace,
        track_name: message.track.name,
        track_alias: message.trackAlias,
        ...params,
        ...extensions(message.trackProperties),
      };
    case 'publishDone':
      return {
        ...requestId(message),
        status_code: toDraft16(message.status),
        stream_count: message.streamCount ?? 'unknown',
        reason_phrase: message.reason,
      };
    case 'publishNamespace':
      return { ...requestId(message), track_namespace: message.namespace, ...params };
    case 'publishNamespaceDone':
      return requestId(message);
    case 'publishNamespaceCancel':
      return { ...requestId(message), error_code: message.code, reason_phrase: message.reason };
    case 'namespace':
    case 'namespaceDone':
      return { namespace_suffix: message.suffix };
    case 'subscribeNamespace':
    case 'subscribeTracks':
      return {
        ...requestId(message),
        namespace_prefix: message.prefix,
        subscribe_options: message.type === 'subscribeTracks' ? 0 : 1,
        ...params,
      };
    case 'fetch':
      return { ...requestId(message), ...range(message.range), ...params };
    case 'fetchOk':
      return {
        ...requestId(message),
        end_of_track: Number(message.endOfTrack),
        end_group: message.end.group,
        end_object: message.end.object,
        ...params,
        ...extensions(message.trackProperties),
      };
    default:
      return shared(message);
  }
}

/** Parameters of who asks. */
function asked(from: MessageParameters): Field {
  const timeout = from.objectDeliveryTimeoutMs;
  return [
    ...(timeout === undefined ? [] : [pair(0x02, timeout)]),
    ...(from.authorizationTokens ?? []).map((raw) => pair(0x03, token(quicVarints, raw))),
  ];
}

/** Parameters of a track, which are its properties above the codec; the order of its groups is a field of the message. */
function ofTrack(raw: Uint8Array, tokens: readonly Uint8Array[] = []): Field {
  const own = properties(raw) as readonly Fields[];
  return [
    ...own.filter(({ type }) => type === '0x2'),
    ...tokens.map((raw) => pair(0x03, token(quicVarints, raw))),
    ...own.filter(({ type }) => type === '0x4'),
  ];
}

const orderOf = (raw: Uint8Array) =>
  (properties(raw) as readonly Fields[]).some(({ type, value }) => type === '0x22' && value === 2) ? 2 : 1;

function wanted({ subscriptionFilter }: MessageParameters): Fields {
  const value: SubscriptionFilter = subscriptionFilter!;
  return value.type === 'unfiltered' ? { filter_type: 3, start_group: 0, start_object: 0 } : filter(value, 'absolute');
}

function largest({ largestObject }: MessageParameters): Fields {
  return largestObject === undefined ? { content_exists: 0 } : { content_exists: 1, largest_location: largestObject };
}

const version14 = 0xff00000e;

/** MOQT_IMPLEMENTATION has no number of its own there. */
function setupOptions14(message: Parameters<typeof setupOptions>[1]): Field {
  return setupOptions(quicVarints, message).filter(({ type }) => type !== '0x7');
}

export function fieldsOf14(message: Message): Fields {
  switch (message.type) {
    case 'clientSetup':
      return { supported_versions: [version14], parameters: setupOptions14(message) };
    case 'serverSetup':
      return { selected_version: version14, parameters: setupOptions14(message) };
    case 'requestsBlocked':
    case 'maxRequestId':
      return { max: message.max };
    case 'requestOk': {
      if (message.request !== 'trackStatus') return requestId(message);
      return {
        ...requestId(message),
        track_alias: 0,
        expires: message.parameters.expiresMs ?? 0,
        group_order: orderOf(message.trackProperties),
        ...largest(message.parameters),
        parameters: ofTrack(message.trackProperties),
      };
    }
    case 'requestError':
      return {
        ...requestId(message),
        error_code: draft14.toRequestErrorCode(message.request!, message.code),
        reason_phrase: message.reason,
      };
    case 'subscribe':
    case 'trackStatus': {
      const { parameters: params, track } = message;
      return {
        ...requestId(message),
        track_namespace: track.namespace,
        track_name: track.name,
        subscriber_priority: params.subscriberPriority!,
        group_order: order(params.groupOrder) ?? 0,
        forward: Number(params.forward),
        ...wanted(params),
        parameters: asked(params),
      };
    }
    case 'subscribeOk':
      return {
        ...requestId(message),
        track_alias: message.trackAlias,
        expires: message.parameters.expiresMs ?? 0,
        group_order: orderOf(message.trackProperties),
        ...largest(message.parameters),
        parameters: ofTrack(message.trackProperties),
      };
    case 'requestUpdate': {
      const { parameters: params } = message;
      const value = params.subscriptionFilter!;
      if (value.type !== 'absoluteStart' && value.type !== 'absoluteRange')
        throw new Error('an update without a range');
      return {
        ...requestId(message),
        subscription_request_id: message.existingRequestId!,
        start_group: value.start.group,
        start_object: value.start.object,
        end_group: value.type === 'absoluteRange' ? value.endGroup + 1 : 0,
        subscriber_priority: params.subscriberPriority!,
        forward: Number(params.forward),
        parameters: asked(params),
      };
    }
    case 'publish':
      return {
        ...requestId(message),
        track_namespace: message.track.namespace,
        track_name: message.track.name,
        track_alias: message.trackAlias,
        group_order: orderOf(message.trackProperties),
        ...largest(message.parameters),
        forward: Number(message.parameters.forward),
        parameters: ofTrack(message.trackProperties, message.parameters.authorizationTokens),
      };
    case 'publishOk': {
      const { parameters: params } = message;
      return {
        ...requestId(message),
        forward: Number(params.forward),
        subscriber_priority: params.subscriberPriority!,
        group_order: order(params.groupOrder)!,
        ...wanted(params),
        parameters: asked(params),
      };
    }
    case 'publishDone':
      return {
        ...requestId(message),
        status_code: draft14.toPublishDoneCode(message.status),
        stream_count: message.streamCount ?? 'unknown',
        reason_phrase: message.reason,
      };
    case 'publishNamespace':
      return { ...requestId(message), track_namespace: message.namespace, parameters: asked(message.parameters) };
    case 'publishNamespaceDone':
      return { track_namespace: message.namespace! };
    case 'publishNamespaceCancel':
      return {
        track_namespace: message.namespace!,
        error_code: draft14.toRequestErrorCode('publishNamespace', message.code),
        reason_phrase: message.reason,
      };
    case 'subscribeNamespace':
      return { ...requestId(message), namespace_prefix: message.prefix, parameters: asked(message.parameters) };
    case 'unsubscribeNamespace':
      return { track_namespace_prefix: message.prefix };
    case 'fetch':
      return {
        ...requestId(message),
        subscriber_priority: message.parameters.subscriberPriority!,
        group_order: order(message.parameters.groupOrder) ?? 0,
        ...range(message.range),
        parameters: asked(message.parameters),
      };
    case 'fetchOk':
      return {
        ...requestId(message),
        group_order: 1,
        end_of_track: Number(message.endOfTrack),
        end_location: message.end,
        parameters: ofTrack(message.trackProperties),
      };
    default:
      return shared(message);
  }
}
