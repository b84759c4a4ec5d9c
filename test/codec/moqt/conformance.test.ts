import { describe, expect, it } from 'vitest';
import messageTypes from '../../../fixtures/wire/moqt-18/moqtail/message_types.json' with { type: 'json' };
import parameterTypeTable from '../../../fixtures/wire/moqt-18/moqtail/parameter_types.json' with { type: 'json' };
import propertyTypeTable from '../../../fixtures/wire/moqt-18/moqtail/property_types.json' with { type: 'json' };
import publishDone from '../../../fixtures/wire/moqt-18/moqtail/publish_done_codes.json' with { type: 'json' };
import requestError from '../../../fixtures/wire/moqt-18/moqtail/request_error_codes.json' with { type: 'json' };
import streamReset from '../../../fixtures/wire/moqt-18/moqtail/stream_reset_codes.json' with { type: 'json' };
import termination from '../../../fixtures/wire/moqt-18/moqtail/termination_codes.json' with { type: 'json' };
import { codes } from '../../../src/codec/moqt/codes.ts';
import { setupOptionTypes } from '../../../src/codec/moqt/control/setup.ts';
import { draft18Messages } from '../../../src/codec/moqt/draft18.ts';
import { isRequest } from '../../../src/codec/moqt/message.ts';
import { parameterTypes } from '../../../src/codec/moqt/parameters.ts';
import { propertyTypes } from '../../../src/codec/moqt/track-properties.ts';

type Entry = { name: string; value: string };

/** SOME_NAME → someName */
const camel = (name: string) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const table = (entries: readonly Entry[]) =>
  Object.fromEntries(entries.map(({ name, value }) => [camel(name), Number(value)]));

describe('code points of draft-18, as moqtail has them', () => {
  it('has the error codes', () => {
    expect(codes.session).toEqual(table(termination.entries));
    expect(codes.requestError).toEqual(table(requestError.entries));
    expect(codes.publishDone).toEqual(table(publishDone.entries));
    expect(codes.streamReset).toEqual(table(streamReset.entries));
  });

  it('has every message and nothing that the draft has not', () => {
    const known = messageTypes.entries.filter((entry) => !('reserved' in entry));
    for (const { name, value } of known) {
      const expected = name === 'PUBLISH_OK' ? 'requestOk' : camel(name);
      expect([name, draft18Messages.get(Number(value))?.type]).toEqual([name, expected]);
    }
    expect(draft18Messages.size).toBe(known.length);
  });

  it('knows which messages open a request', () => {
    for (const entry of messageTypes.entries) {
      const type = draft18Messages.get(Number(entry.value))?.type;
      if (type === undefined) continue;
      expect([type, isRequest({ type } as never)]).toEqual([type, entry.stream === 'Request, First']);
    }
  });

  it('has the message parameters', () => {
    const values = (entries: readonly Entry[]) => entries.map(({ value }) => Number(value)).sort((a, b) => a - b);
    const ours = (from: Readonly<Record<string, number>>) => Object.values(from).sort((a, b) => a - b);
    expect(ours(parameterTypes)).toEqual(values(parameterTypeTable.message_parameters.entries));
    expect(ours(setupOptionTypes)).toEqual(values(parameterTypeTable.setup_options.entries));
    expect(propertyTypes).toEqual(table(propertyTypeTable.entries));
  });
});
