import { describe, expect, it } from 'vitest';
import { decodeAuthToken, encodeAuthToken, type WireAuthToken } from '../../../src/codec/moqt/fields/auth-token.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { fromHex, hex, utf8 } from '../../../src/core/bytes.ts';
import { maxAuthTokenCacheSize } from '../../../src/session/moqt/auth-tokens.ts';
import type { AuthToken, IncomingSubscribe } from '../../../src/session/types.ts';
import { encode, messages, rawPeer, request, sessions, track } from '../helpers.ts';

const token = (text: string, type = 0): AuthToken => ({ type, value: utf8(text) });
const wire = (value: WireAuthToken) => encodeAuthToken(vi64, value);

describe('the Token structure', () => {
  it.each<[WireAuthToken, string]>([
    [{ kind: 'delete', alias: 5 }, '0005'],
    [{ kind: 'register', alias: 5, token: token('ab', 1) }, '0105016162'],
    [{ kind: 'useAlias', alias: 5 }, '0205'],
    [{ kind: 'useValue', token: token('ab') }, '03006162'],
  ])('%j', (value, bytes) => {
    expect(hex(wire(value))).toBe(bytes);
    expect(decodeAuthToken(vi64, fromHex(bytes))).toEqual(value);
  });

  it.each(['', '04', '00', '000505', '01', '0105', '03'])('%s is KEY_VALUE_FORMATTING_ERROR', (bytes) => {
    expect(() => decodeAuthToken(vi64, fromHex(bytes))).toThrow(expect.objectContaining({ sessionCode: 0x6 }));
  });
});

it('tokens of SETUP and of requests reach who decides', async () => {
  const requests: IncomingSubscribe[] = [];
  const { client, server } = await sessions({
    client: { tokens: [token('setup', 7)] },
    server: {
      handlers: {
        subscribe(incoming) {
          requests.push(incoming);
          incoming.reject(0x1, 'no');
        },
      },
    },
  });
  expect(server.peer.tokens).toEqual([token('setup', 7)]);
  await expect(client.subscribe(track, { tokens: [token('mine')] })).rejects.toMatchObject({ requestCode: 0x1 });
  expect(requests[0]!.tokens).toEqual([token('mine')]);
});

describe('aliases', () => {
  /** Asks with these structures, one request after the other; answers the tokens each was seen with, or how it closed. */
  async function ask(...structures: WireAuthToken[][]) {
    const seen: (readonly AuthToken[])[] = [];
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: {
        trackStatus(incoming) {
          seen.push(incoming.tokens);
          incoming.reject(0x1, '');
        },
      },
    });
    setup();
    await opening;
    for (const [index, each] of structures.entries()) {
      const authorizationTokens = each.map(wire);
      const bidi = request(raw, {
        type: 'trackStatus',
        requestId: index * 2,
        track,
        parameters: { authorizationTokens },
      });
      const closed = raw.closed.then(({ code }) => code);
      const answer = await Promise.race([messages(bidi.receive, 1).catch(() => closed), closed]);
      if (typeof answer === 'number') return answer;
    }
    return seen;
  }
  const register = (alias: number, text: string): WireAuthToken => ({ kind: 'register', alias, token: token(text) });
  const use = (alias: number): WireAuthToken => ({ kind: 'useAlias', alias });
  const remove = (alias: number): WireAuthToken => ({ kind: 'delete', alias });
  const half = 'x'.repeat(maxAuthTokenCacheSize / 2 - 16);

  it('stand for what was registered, though that request failed, until deleted', async () => {
    expect(await ask([register(1, 'a')], [use(1)], [remove(1)], [register(1, 'b')], [use(1)])).toEqual([
      [token('a')],
      [token('a')],
      [],
      [token('b')],
      [token('b')],
    ]);
  });

  it.each<[string, WireAuthToken[][], number]>([
    ['registered twice', [[register(1, 'a')], [register(1, 'a')]], 0x14],
    ['unknown', [[use(1)]], 0x17],
    ['deleted, then used', [[register(1, 'a')], [remove(1)], [use(1)]], 0x17],
    ['beyond the cache', [[register(1, half)], [register(2, half)], [register(3, '')]], 0x13],
  ])('%s: the session is closed with its code', async (_, structures, code) => {
    expect(await ask(...structures)).toBe(code);
  });

  it('that are deleted make room', async () => {
    expect(await ask([register(1, half)], [register(2, half)], [remove(1)], [register(3, half)])).toHaveLength(4);
  });

  it.each<[string, WireAuthToken, number | undefined]>([
    ['USE_ALIAS in SETUP', use(1), 0x3],
    ['DELETE in SETUP', remove(1), 0x3],
    ['REGISTER in SETUP, too large: used all the same', register(1, half + half + half), undefined],
  ])('%s', async (_, structure, code) => {
    const { raw, opening, control } = await rawPeer('server');
    control.write(encode({ type: 'setup', authorizationTokens: [wire(structure)] }));
    if (code === undefined) expect((await opening).peer.tokens).toHaveLength(1);
    else expect(await raw.closed).toMatchObject({ code });
  });
});
