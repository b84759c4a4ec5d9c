import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import type { KeyValuePair } from '../fields/key-value-pairs.ts';
import { readKeyValuePairs, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import { protocolViolation } from '../moqt-error.ts';
import { boundedInteger } from '../wire.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.3 SETUP (0x2F00). Unknown options are ignored; AUTHORIZATION TOKEN is kept as its undecoded Token structure. */
export type Setup = {
  readonly type: 'setup';
  /** Path and query of the URI; raw QUIC clients only. Secret: may hold a token. */
  readonly path?: string;
  readonly authority?: string;
  readonly implementation?: string;
  readonly authorizationTokens?: readonly Uint8Array[];
  readonly maxAuthTokenCacheSize?: number;
  /** draft-19 10.3.1.6: ranges that all range filters of one request may have; 0, or absent: there may be no filters. */
  readonly maxFilterRanges?: number;
  /** draft-19 10.3.1.7: REQUEST_UPDATEs that may wait for an answer on one stream; 0, or absent: any number. */
  readonly maxRequestUpdates?: number;
  /** HOP_ID of draft-lcurley-moq-cluster: who the peer is in hop lists, and that it can read them. 0: it does not say. */
  readonly hopId?: bigint;
  /** RELAY_COST of the same draft: what it costs to have something from the peer, 0 … 2^53-1. */
  readonly relayCost?: number;
};

export const setupOptionTypes = {
  path: 0x01,
  authorizationToken: 0x03,
  maxAuthTokenCacheSize: 0x04,
  authority: 0x05,
  implementation: 0x07,
} as const;

/** draft-lcurley-moq-cluster */
const hopIdOption = 0x40b54;
const relayCostOption = 0x40b56;

/** Of draft-19 on; before, nobody uses the numbers. */
const maxFilterRangesType = 0x06;
const maxRequestUpdatesType = 0x08;

export const setup: MessageCodec<Setup> = {
  code: 0x2f00,
  type: 'setup',
  encode(writer, message) {
    const pairs: KeyValuePair[] = [];
    const text = (type: number, value: string | undefined) => {
      if (value !== undefined) pairs.push({ type, value: utf8(value) });
    };
    text(setupOptionTypes.path, message.path);
    for (const value of message.authorizationTokens ?? [])
      pairs.push({ type: setupOptionTypes.authorizationToken, value });
    if (message.maxAuthTokenCacheSize !== undefined)
      pairs.push({ type: setupOptionTypes.maxAuthTokenCacheSize, value: BigInt(message.maxAuthTokenCacheSize) });
    if (message.maxFilterRanges !== undefined)
      pairs.push({ type: maxFilterRangesType, value: BigInt(message.maxFilterRanges) });
    if (message.maxRequestUpdates !== undefined)
      pairs.push({ type: maxRequestUpdatesType, value: BigInt(message.maxRequestUpdates) });
    text(setupOptionTypes.authority, message.authority);
    text(setupOptionTypes.implementation, message.implementation);
    if (message.hopId !== undefined) pairs.push({ type: hopIdOption, value: message.hopId });
    if (message.relayCost !== undefined) pairs.push({ type: relayCostOption, value: BigInt(message.relayCost) });
    writeKeyValuePairs(writer, pairs);
  },
  decode(reader) {
    const message: { -readonly [K in keyof Setup]: Setup[K] } = { type: 'setup' };
    const once = (present: unknown, name: string) => {
      if (present !== undefined) throw protocolViolation(`setup option ${name} twice`);
    };
    for (const { type, value } of readKeyValuePairs(reader)) {
      if (typeof value === 'bigint') {
        if (type === hopIdOption) {
          once(message.hopId, 'HOP_ID');
          message.hopId = value;
        }
        if (type === maxFilterRangesType) {
          once(message.maxFilterRanges, 'MAX_FILTER_RANGES');
          message.maxFilterRanges = boundedInteger(value);
        }
        if (type === relayCostOption) {
          once(message.relayCost, 'RELAY_COST');
          message.relayCost = boundedInteger(value);
        }
        if (type === maxRequestUpdatesType) {
          once(message.maxRequestUpdates, 'MAX_REQUEST_UPDATES');
          message.maxRequestUpdates = boundedInteger(value);
        }
        if (type !== setupOptionTypes.maxAuthTokenCacheSize) continue;
        once(message.maxAuthTokenCacheSize, 'MAX_AUTH_TOKEN_CACHE_SIZE');
        message.maxAuthTokenCacheSize = boundedInteger(value);
        continue;
      }
      if (type === setupOptionTypes.path) {
        once(message.path, 'PATH');
        message.path = fromUtf8(value);
      } else if (type === setupOptionTypes.authority) {
        once(message.authority, 'AUTHORITY');
        message.authority = fromUtf8(value);
      } else if (type === setupOptionTypes.implementation) {
        once(message.implementation, 'MOQT_IMPLEMENTATION');
        message.implementation = fromUtf8(value);
      } else if (type === setupOptionTypes.authorizationToken) {
        message.authorizationTokens = [...(message.authorizationTokens ?? []), value];
      }
    }
    return message;
  },
};
