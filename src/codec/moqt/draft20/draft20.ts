import { publishDoneCodes } from '../codes.ts';
import { ControlDecoder, encodeMessage, type MessageTable, messageTable } from '../control/control-decoder.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { type PublishDone, publishDone } from '../control/publish-done.ts';
import { type RequestOk, requestOk } from '../control/request-ok.ts';
import { FetchDecoder } from '../data/fetch-stream.ts';
import type { Dialect } from '../dialect.ts';
import { draft19, draft19Messages } from '../draft19/draft19.ts';
import type { Message } from '../message.ts';
import { vi64 } from '../varint.ts';
import { fetch, fetchOk } from './fetch.ts';
import { countedForm, type LocationFilterForm, typedForm } from './location-filter.ts';
import { draft20Rules } from './parameters.ts';
import { publishStateNotify } from './publish-state-notify.ts';

/*
 * draft-20 is draft-19 and what is here; draft-21 is draft-20 in other words, and draft-22 changes LOCATION_FILTER (9.20.9). Where the texts are
 * silent it is what other implementations agree on: FILL_PARAMETERS begins with a count (moq-net, moqtap-codec, moqtail), and an End of Range
 * marker is flags, group and object as they are (moq-net, moqtail, quiche; moqtap-codec reads deltas, and a payload length behind them).
 */

/** 10.5: PUBLISH_OK says no terms; who wants others updates the subscription. */
const draft20RequestOk: MessageCodec<RequestOk> = {
  ...requestOk,
  encode(writer, message, rules) {
    const { expiresMs, largestObject } = message.parameters;
    const parameters = {
      ...(expiresMs !== undefined && { expiresMs }),
      ...(largestObject !== undefined && { largestObject }),
    };
    requestOk.encode(writer, { ...message, parameters }, rules);
  },
};

/** 10.12: SUBSCRIPTION_ENDED is gone, which ends as the track does; an unknown number of streams is 2^64-1. */
const draft20PublishDone: MessageCodec<PublishDone> = {
  ...publishDone,
  encode(writer, message) {
    const { subscriptionEnded, trackEnded } = publishDoneCodes;
    writer.varint(message.status === subscriptionEnded ? trackEnded : message.status);
    writer.varint(message.streamCount ?? (1n << 64n) - 1n).reason(message.reason);
  },
};

export const draft20Messages: MessageTable = new Map([
  ...draft19Messages,
  ...messageTable([draft20RequestOk, draft20PublishDone, fetch, fetchOk, publishStateNotify]),
]);

function dialect(version: string, form: LocationFilterForm): Dialect {
  const rules = draft20Rules(form);
  return {
    ...draft19,
    version,
    outlivesRange: true,
    withoutJoiningFetch: true,
    withoutPublishOkTerms: true,
    encodeMessage: (message: Message) => encodeMessage(draft20Messages, vi64, message, rules),
    controlDecoder: () => new ControlDecoder(draft20Messages, vi64, rules),
    // 11.4.4: what a relay gave up waiting for is one more thing that nobody knows.
    fetchDecoder: (order, options) => new FetchDecoder(vi64, order, { ...options, timedOutRanges: true }),
  };
}

export const draft20 = dialect('moqt-20', countedForm);
export const draft21 = dialect('moqt-21', countedForm);
export const draft22 = dialect('moqt-22', typedForm);
