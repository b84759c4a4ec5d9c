import { describe, expect, it } from 'vitest';
import { requestErrorCodes } from '../../src/codec/moqt/codes.ts';
import { draft20 } from '../../src/codec/moqt/draft20/draft20.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import { establish } from '../../src/session/establish.ts';
import type { Location, SessionHandlers, TrackStatus } from '../../src/session/types.ts';
import { pair, track } from './helpers.ts';

/** The answer to the one request of a draft-20 client that speaks bytes. */
async function answerTo(request: Uint8Array | Message, handlers: SessionHandlers): Promise<Message> {
  const both = pair({ protocol: 'moqt-20' });
  const opening = establish(both.server, { role: 'server', handlers });
  both.client.openUni().write(draft20.encodeMessage({ type: 'setup' }));
  await opening;
  const { send, receive } = both.client.openBidi();
  send.write(request instanceof Uint8Array ? request : draft20.encodeMessage(request));
  return draft20.controlDecoder().push((await receive.read())!)[0]!;
}

describe('a FETCH from so many groups before the next on', () => {
  const fetch = (groups: number): Message => ({
    type: 'fetch',
    requestId: 0,
    range: { kind: 'standalone', track, start: { group: 0, object: 0 }, end: { group: 0, object: 0 } },
    parameters: { locationFilter: { kind: 'relative', groups } },
  });
  const serving = (status: Partial<TrackStatus>) => {
    const ranges: { start: Location; end: Location }[] = [];
    const handlers: SessionHandlers = {
      trackStatus: (request) => request.accept(status),
      fetch: (request) => {
        const { start, end } = request;
        ranges.push({ start, end });
        request.accept({ end, endOfTrack: false }).finish();
      },
    };
    return { handlers, ranges };
  };

  it.each([
    { groups: 1, from: 7 },
    { groups: 3, from: 5 },
    { groups: 99, from: 0 },
  ])('goes up to the largest object: $groups groups', async ({ groups, from }) => {
    const { handlers, ranges } = serving({ largest: { group: 7, object: 4 } });
    expect(await answerTo(fetch(groups), handlers)).toMatchObject({ type: 'fetchOk', end: { group: 7, object: 5 } });
    expect(ranges).toEqual([{ start: { group: from, object: 0 }, end: { group: 7, object: 5 } }]);
  });

  it.each([
    { name: 'nothing was published', groups: 2, status: {} },
    { name: 'it is of what is to come', groups: 0, status: { largest: { group: 7, object: 4 } } },
  ])('is refused where $name', async ({ groups, status }) => {
    const { handlers, ranges } = serving(status);
    const { invalidRange } = requestErrorCodes;
    expect(await answerTo(fetch(groups), handlers)).toMatchObject({ type: 'requestError', code: invalidRange });
    expect(ranges).toEqual([]);
  });

  it('is refused as TRACK_STATUS is', async () => {
    const { handlers } = serving({});
    const refusing: SessionHandlers = { ...handlers, trackStatus: (request) => request.reject(0x1, 'no') };
    expect(await answerTo(fetch(1), refusing)).toMatchObject({ type: 'requestError', code: 0x1, reason: 'no' });
  });
});
