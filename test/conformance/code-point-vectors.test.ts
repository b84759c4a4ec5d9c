import { describe, expect, it } from 'vitest';
import {
  invalidFilter,
  publishDoneCodes,
  requestErrorCodes,
  sessionCodes,
  streamResetCodes,
} from '../../src/codec/moqt/codes.ts';
import type { MessageTable } from '../../src/codec/moqt/control/control-decoder.ts';
import { statusOf } from '../../src/codec/moqt/data/object-stream.ts';
import { dialectFor } from '../../src/codec/moqt/dialects.ts';
import { draft14Messages } from '../../src/codec/moqt/draft14/draft14.ts';
import * as errors14 from '../../src/codec/moqt/draft14/error-codes.ts';
import { draft16Messages } from '../../src/codec/moqt/draft16/draft16.ts';
import * as errors16 from '../../src/codec/moqt/draft16/error-codes.ts';
import { draft18Messages } from '../../src/codec/moqt/draft18/draft18.ts';
import { draft19Messages, draft19Rules } from '../../src/codec/moqt/draft19/draft19.ts';
import { draft20Messages } from '../../src/codec/moqt/draft20/draft20.ts';
import { countedForm } from '../../src/codec/moqt/draft20/location-filter.ts';
import { draft20Rules } from '../../src/codec/moqt/draft20/parameters.ts';
import { draft18Rules, type ParameterRules } from '../../src/codec/moqt/fields/parameters.ts';
import { propertyTypes } from '../../src/codec/moqt/fields/track-properties.ts';
import type { RequestType } from '../../src/codec/moqt/model.ts';
import { ofMoqtail, type Registry, registries } from './vectors/code-points.ts';

/** SOME_NAME → someName */
const camel = (name: string) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const nameIn = (table: Readonly<Record<string, number>>, code: number) =>
  Object.keys(table).find((name) => table[name] === code);

/** What draft-14 calls otherwise; the last two have no later name. */
const renamed: Readonly<Record<string, string>> = {
  trackDoesNotExist: 'doesNotExist',
  namespacePrefixUnknown: 'doesNotExist',
  namespacePrefixOverlap: 'prefixOverlap',
  noObjects: 'invalidRange',
  unknownStatusInRange: 'internalError',
};
const requests14: Readonly<Record<string, RequestType>> = {
  'subscribe error': 'subscribe',
  'publish error': 'publish',
  'fetch error': 'fetch',
  'publish namespace error': 'publishNamespace',
  'subscribe namespace error': 'subscribeNamespace',
};

/** Messages that became one, or have another name. */
const messages: Readonly<Record<string, string>> = {
  subscribeUpdate: 'requestUpdate',
  publishNamespaceOk: 'requestOk',
  subscribeNamespaceOk: 'requestOk',
  trackStatusOk: 'requestOk',
  subscribeError: 'requestError',
  publishError: 'requestError',
  fetchError: 'requestError',
  trackStatusError: 'requestError',
  publishNamespaceError: 'requestError',
  subscribeNamespaceError: 'requestError',
  publishSkipped: 'publishBlocked',
  goAway: 'goaway',
};
const tables: Readonly<Record<number, MessageTable>> = {
  14: draft14Messages,
  16: draft16Messages,
  18: draft18Messages,
  19: draft19Messages,
  20: draft20Messages,
  21: draft20Messages,
  22: draft20Messages,
};

/** Parameters by the names that we have for them. */
const parameters: Readonly<Record<string, string>> = {
  deliveryTimeout: 'objectDeliveryTimeoutMs',
  objectDeliveryTimeout: 'objectDeliveryTimeoutMs',
  authorizationToken: 'authorizationTokens',
  rendezvousTimeout: 'rendezvousTimeoutMs',
  subgroupDeliveryTimeout: 'subgroupDeliveryTimeoutMs',
  expires: 'expiresMs',
  fillTimeout: 'fillTimeoutMs',
  locationFilter: 'subscriptionFilter',
  fillParameters: 'fill',
};
const rules: Readonly<Record<number, ParameterRules>> = { 16: draft18Rules, 18: draft18Rules, 19: draft19Rules };
const isRangeFilter = (name: string) =>
  /^(subgroup|objectid|objectId|priority|objectProperty|trackProperty)Filter$/.test(name);

/** The name that we have for a code on the wire of a draft, in the words of its maker where those differ. */
function ours({ draft, registry }: Registry, name: string, code: number): string | undefined {
  switch (registry) {
    case 'session':
      return nameIn({ ...sessionCodes, tooManyRequests: errors16.tooManyRequests }, code);
    case 'request error': {
      const said = draft === 16 ? errors16.toRequestErrorCode(code) : code;
      return nameIn({ ...requestErrorCodes, invalidFilter }, said);
    }
    case 'publish done': {
      const from = draft === 14 ? errors14 : errors16;
      return nameIn(publishDoneCodes, draft > 16 ? code : from.fromPublishDoneCode(code));
    }
    case 'stream reset':
      return nameIn(streamResetCodes, dialectFor(`moqt-${draft}`)!.resetCodes?.fromWire(code) ?? code);
    case 'object status':
      return statusOf(code, draft === 14);
    case 'message':
      return tables[draft]!.get(code)?.type;
    case 'property':
      return nameIn(propertyTypes, code);
    case 'parameter': {
      const { all } = rules[draft] ?? draft20Rules(countedForm);
      return all.find((rule) => rule.type === code && rule.scope.length > 0)?.name;
    }
    default: {
      const kind = requests14[registry];
      if (kind === undefined) throw new Error(`no table for ${name}`);
      return nameIn(requestErrorCodes, errors14.fromRequestErrorCode(kind, code));
    }
  }
}

/** Those we have no name for: nobody here says them. */
const unsaid: ReadonlySet<string> = new Set([
  // We take any number of updates (draft-19 10.3.1.7).
  'tooManyRequestUpdates',
  // The relay takes any number of disjoint filters (draft-20 6.3.1).
  'conflictingFilters',
]);

/** What draft-22 does not have, and what we take it for. */
const notOfDraft22: Readonly<Record<string, string | undefined>> = {
  // Of draft-18, whose number moqtail has taken.
  'request error INVALID_SWITCH': 'invalidJoiningRequestId',
  'message PUBLISH_OK': undefined,
  'parameter SWITCH_FROM': undefined,
  'parameter SWITCHING_SET_ASSIGNMENT': undefined,
};

function theirs({ draft, registry }: Registry, name: string): string | undefined {
  const own = camel(name);
  if (unsaid.has(own)) return undefined;
  switch (registry) {
    case 'message':
      return messages[own] ?? own;
    case 'parameter':
      return isRangeFilter(own) ? 'rangeFilters' : (parameters[own] ?? own);
    case 'property':
      if (draft > 16) return own;
      return own === 'deliveryTimeout' ? 'objectDeliveryTimeout' : own.replace('Extensions', 'Properties');
    case 'object status':
      return own === 'objectDoesNotExist' ? 'doesNotExist' : own;
    default:
      return renamed[own] ?? own;
  }
}

/** Those that have no table of ours: their vectors read and write each of them. */
const withoutTable = ({ draft, registry }: Registry) =>
  ['setup option', 'location filter', 'token alias'].includes(registry) ||
  (draft === 14 && (registry === 'parameter' || registry === 'property'));

describe('code points of moqtap-codec', () => {
  it.each(registries.filter((one) => !withoutTable(one)))('draft-$draft, $registry', (one) => {
    const entries = Object.entries(one.codes);
    expect(entries.length).toBeGreaterThan(2);
    expect(entries.map(([name, code]) => [name, ours(one, name, code)])).toEqual(
      entries.map(([name]) => [name, theirs(one, name)]),
    );
  });

  it('has no message that draft-18 to draft-22 have not', () => {
    for (const one of registries.filter(({ draft, registry }) => registry === 'message' && draft >= 18)) {
      const codes = new Set(Object.values(one.codes));
      const more = [...tables[one.draft]!.keys()].filter((code) => !codes.has(code));
      // PUBLISH_OK: draft-18 10, Table 5.
      expect([one.draft, more]).toEqual([one.draft, one.draft === 18 ? [0x1e] : []]);
    }
  });
});

describe('code points of moqtail', () => {
  it.each(ofMoqtail.filter((one) => !withoutTable(one)))('draft-$draft, $registry', (one) => {
    const entries = Object.entries(one.codes);
    const expected = (name: string) => {
      const id = `${one.registry} ${name}`;
      return id in notOfDraft22 ? notOfDraft22[id] : theirs(one, name);
    };
    expect(entries.map(([name, code]) => [name, ours(one, name, code)])).toEqual(
      entries.map(([name]) => [name, expected(name)]),
    );
  });
});
