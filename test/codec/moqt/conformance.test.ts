import { describe, expect, it } from 'vitest';
import * as draft from '../../../fixtures/wire/moqt-18/code-points.ts';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { setupOptionTypes } from '../../../src/codec/moqt/control/setup.ts';
import { draft18Messages } from '../../../src/codec/moqt/draft18/draft18.ts';
import { parameterTypes } from '../../../src/codec/moqt/fields/parameters.ts';
import { propertyTypes } from '../../../src/codec/moqt/fields/track-properties.ts';
import { isRequest } from '../../../src/codec/moqt/message.ts';

/** SOME_NAME → someName */
const camel = (name: string) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const table = (entries: Record<string, number>) =>
  Object.fromEntries(Object.entries(entries).map(([name, value]) => [camel(name), value]));
const sorted = (from: Readonly<Record<string, number>>) => Object.values(from).sort((a, b) => a - b);

describe('code points of draft-18', () => {
  it('has the error codes', () => {
    expect(codes.session).toEqual(table(draft.sessionTermination));
    expect(codes.requestError).toEqual(table(draft.requestError));
    expect(codes.publishDone).toEqual(table(draft.publishDone));
    expect(codes.streamReset).toEqual(table(draft.streamReset));
  });

  it('has every message and nothing that the draft has not', () => {
    for (const [type, name] of draft.messages) {
      const expected = name === 'PUBLISH_OK' ? 'requestOk' : camel(name);
      expect([name, draft18Messages.get(type)?.type]).toEqual([name, expected]);
    }
    expect(draft18Messages.size).toBe(draft.messages.length);
  });

  it('knows which messages open a request', () => {
    for (const [type, name, opensRequest] of draft.messages)
      expect([name, isRequest({ type: draft18Messages.get(type)!.type } as never)]).toEqual([name, opensRequest]);
  });

  it('has the message parameters, setup options and properties', () => {
    expect(sorted(parameterTypes)).toEqual(draft.messageParameters);
    expect(sorted(setupOptionTypes)).toEqual(draft.setupOptions);
    expect(propertyTypes).toEqual(table(draft.properties));
  });
});
