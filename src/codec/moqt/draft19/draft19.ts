import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { requestErrorCodes } from '../codes.ts';
import { ControlDecoder, encodeMessage, type MessageTable, messageTable } from '../control/control-decoder.ts';
import { goaway } from '../control/goaway.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { type RequestErrorMessage, requestError } from '../control/request-error.ts';
import { type RequestOk, requestOk } from '../control/request-ok.ts';
import type { Dialect } from '../dialect.ts';
import { draft18, draft18Messages } from '../draft18/draft18.ts';
import {
  draft18Rules,
  type MessageParameters,
  type ParameterRule,
  type ParameterScope,
  rescoped,
  rulesWith,
} from '../fields/parameters.ts';
import { rangeFilterTypes, rangeKinds, withRangeSet, writeRangeSet } from '../fields/range-filters.ts';
import type { Message } from '../message.ts';
import { protocolViolation } from '../moqt-error.ts';
import { vi64 } from '../varint.ts';

/** draft-19 is draft-18 and what is here; the text of the draft is the source (its Change Log, 5.1.3, 10.2 to 10.6). */

/** What may be said of a subscription may be said of all that SUBSCRIBE_TRACKS brings (10.20.1). */
const ofSubscriptions = [
  'objectDeliveryTimeoutMs',
  'rendezvousTimeoutMs',
  'subgroupDeliveryTimeoutMs',
  'subscriberPriority',
  'subscriptionFilter',
  'newGroupRequest',
] as const satisfies readonly (keyof MessageParameters)[];

function alsoInSubscribeTracks(name: (typeof ofSubscriptions)[number]): ParameterRule {
  const { scope } = draft18Rules.all.find((rule) => rule.name === name)!;
  return rescoped(draft18Rules, name, [...scope, 'subscribeTracks']);
}

/** 0x29 chooses among tracks, the others among objects. */
const rangeFilterScope: Readonly<Record<'tracks' | 'objects', readonly ParameterScope[]>> = {
  tracks: ['subscribeTracks', 'requestUpdate'],
  objects: ['subscribe', 'subscribeTracks', 'requestOk', 'requestUpdate', 'fetch'],
};

/** 5.1.3, 10.2.10 to 10.2.14: one parameter a filter, and an empty one where there is none any more. */
const rangeFilters = rangeKinds.map(
  (kind): ParameterRule => ({
    type: rangeFilterTypes[kind],
    name: 'rangeFilters',
    scope: rangeFilterScope[kind === 'trackProperty' ? 'tracks' : 'objects'],
    count({ rangeFilters = {} }) {
      const sets = rangeFilters[kind];
      return sets === undefined ? 0 : Math.max(1, sets.length);
    },
    read(reader, into) {
      const value = reader.lengthPrefixed();
      try {
        into.rangeFilters = withRangeSet(into.rangeFilters ?? {}, kind, value, reader.varints);
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        into.invalidFilter ??= error.message;
      }
    },
    write(writer, from) {
      const sets = from.rangeFilters![kind]!;
      if (sets.length === 0) writer.lengthPrefixed(emptyBytes);
      sets.forEach((set, index) => {
        if (index > 0) writer.varint(0);
        writeRangeSet(writer, set);
      });
    },
  }),
);

export const draft19Rules = rulesWith(draft18Rules, [
  ...ofSubscriptions.map(alsoInSubscribeTracks),
  // It moved from PUBLISH_OK to SUBSCRIBE_TRACKS (#1777), whose PUBLISHes repeat it.
  rescoped(draft18Rules, 'groupOrder', ['subscribe', 'subscribeTracks', 'publish', 'fetch']),
  ...rangeFilters,
]);

/** 10.4: no request id any more. */
const draft19Goaway: typeof goaway = {
  ...goaway,
  encode: (writer, { requestId: _, ...message }) => goaway.encode(writer, message),
  decode(reader) {
    const message = goaway.decode(reader);
    if (message.requestId !== undefined) throw protocolViolation('GOAWAY with a request id');
    return message;
  },
};

/** 10.5: the order of groups is not among the parameters of PUBLISH_OK: it goes as the publisher offered. */
const draft19RequestOk: MessageCodec<RequestOk> = {
  ...requestOk,
  encode(writer, message, rules) {
    const { groupOrder: _, ...parameters } = message.parameters;
    requestOk.encode(writer, { ...message, parameters }, rules);
  },
};

/** 10.6: a track may be subscribed to more than once, so there is no DUPLICATE_SUBSCRIPTION; we do not take part in that. */
const draft19RequestError: MessageCodec<RequestErrorMessage> = {
  ...requestError,
  encode(writer, message, rules) {
    const { duplicateSubscription, notSupported } = requestErrorCodes;
    const code = message.code === duplicateSubscription ? notSupported : message.code;
    requestError.encode(writer, { ...message, code }, rules);
  },
};

const changed: MessageTable = messageTable([draft19Goaway, draft19RequestOk, draft19RequestError]);
// 0x1E, once PUBLISH_OK, is reserved.
export const draft19Messages: MessageTable = new Map(
  [...draft18Messages, ...changed].filter(([code]) => code !== 0x1e),
);

export const draft19: Dialect = {
  ...draft18,
  version: 'moqt-19',
  goawayWithoutRequestId: true,
  rangeFilters: true,
  concurrentSubscriptions: true,
  encodeMessage: (message: Message) => encodeMessage(draft19Messages, vi64, message, draft19Rules),
  controlDecoder: () => new ControlDecoder(draft19Messages, vi64, draft19Rules),
};
