import { draft19Rules } from '../draft19/draft19.ts';
import {
  type MessageParameters,
  type ParameterRule,
  type ParameterRules,
  type ParameterScope,
  readParameters,
  rescoped,
  rulesWith,
  writeParameters,
} from '../fields/parameters.ts';
import { protocolViolation } from '../moqt-error.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { fromSubscriptionFilter, type LocationFilterForm, toSubscriptionFilter } from './location-filter.ts';

type Name = keyof MessageParameters;

const subscriber: readonly ParameterScope[] = ['subscribe', 'publish', 'requestUpdate'];

/** draft-20 10.2: PUBLISH_OK has only EXPIRES left, and PUBLISH says what the publisher takes the terms to be. */
const scopes: Partial<Record<Name, readonly ParameterScope[]>> = {
  objectDeliveryTimeoutMs: [...subscriber, 'subscribeTracks'],
  subgroupDeliveryTimeoutMs: [...subscriber, 'subscribeTracks'],
  largestObject: ['subscribeOk', 'publish', 'requestOk', 'publishStateNotify'],
  fillTimeoutMs: ['fetch', 'fill'],
  forward: [...subscriber, 'subscribeTracks', 'publishStateNotify'],
  subscriberPriority: [...subscriber, 'fetch', 'subscribeTracks', 'fill'],
  groupOrder: ['subscribe', 'publish', 'subscribeTracks', 'fetch', 'fill'],
  newGroupRequest: ['subscribe', 'requestUpdate', 'subscribeTracks'],
};

const filterScope: readonly ParameterScope[] = [...subscriber, 'subscribeTracks', 'publishStateNotify'];
const locationScope: readonly ParameterScope[] = ['fetch', 'fill'];

/** 0x21: of a subscription as that, of a FETCH or a fill as it is. */
function locationFilterRules(form: LocationFilterForm): ParameterRule[] {
  return [
    {
      type: 0x21,
      name: 'subscriptionFilter',
      scope: [...filterScope, ...locationScope],
      read(reader, into, scope) {
        const filter = form.read(reader);
        if (locationScope.includes(scope)) {
          into.locationFilter = filter;
          return;
        }
        into.subscriptionFilter = toSubscriptionFilter(filter);
      },
      write: (writer, { subscriptionFilter }) => form.write(writer, fromSubscriptionFilter(subscriptionFilter!)),
    },
    {
      type: 0x21,
      name: 'locationFilter',
      scope: [],
      read: () => {},
      write: (writer, { locationFilter }) => form.write(writer, locationFilter!),
    },
  ];
}

/** 0x23 FILL_PARAMETERS (10.2.15): parameters of its own, as of another message. */
function fillRule(rules: () => ParameterRules): ParameterRule {
  return {
    type: 0x23,
    name: 'fill',
    scope: ['subscribe', 'requestUpdate', 'subscribeTracks'],
    read(reader, into) {
      const inner = new WireReader(reader.lengthPrefixed(), reader.varints);
      into.fill = readParameters(inner, 'fill', rules());
      if (inner.remaining > 0) throw protocolViolation('bytes behind FILL_PARAMETERS');
    },
    write(writer, { fill }) {
      const inner = new WireWriter(writer.varints, 32);
      writeParameters(inner, fill!, rules());
      writer.lengthPrefixed(inner.finish());
    },
  };
}

/** 0x35 INCLUDE_PROPERTIES (10.2.21): who does not want track properties still may get them. */
const includeProperties: ParameterRule = {
  type: 0x35,
  name: 'includeProperties',
  scope: ['subscribe', 'trackStatus', 'fetch', 'subscribeTracks'],
  read(reader, into) {
    const value = reader.u8();
    if (value > 1) throw protocolViolation(`INCLUDE_PROPERTIES ${value}`);
    into.includeProperties = value === 1;
  },
  write: (writer, from) => void writer.u8(from.includeProperties ? 1 : 0),
};

function withoutAnswers(rule: ParameterRule): ParameterRule {
  return {
    ...rule,
    scope: [...rule.scope.filter((scope) => scope !== 'requestOk'), ...(rule.type === 0x29 ? [] : (['fill'] as const))],
  };
}

export function draft20Rules(form: LocationFilterForm): ParameterRules {
  const rules: ParameterRules = rulesWith(draft19Rules, [
    ...(Object.keys(scopes) as Name[]).map((name) => rescoped(draft19Rules, name, scopes[name]!)),
    ...draft19Rules.all.filter(({ name }) => name === 'rangeFilters').map(withoutAnswers),
    ...locationFilterRules(form),
    fillRule(() => rules),
    includeProperties,
  ]);
  return rules;
}
