import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/access/grant.ts';
import { VerifiedTokens } from '../../src/access/verified-tokens.ts';
import { StreamsError } from '../../src/core/errors.ts';

/** Counts what is verified; `end` lets the newest grant lapse. */
function verifier() {
  const state = { verified: 0, watched: 0, reason: undefined as string | undefined, end: () => {} };
  const verify = async (token: string): Promise<Grant> => {
    state.verified++;
    await Promise.resolve();
    if (token === 'bad') throw new StreamsError('TOKEN_INVALID', 'no');
    if (state.reason !== undefined) throw new StreamsError('TOKEN_EXPIRED', state.reason);
    return {
      kind: 'playback',
      publish: [],
      subscribe: [],
      lapsed: () => state.reason,
      watch(end) {
        state.watched++;
        state.end = () => end('over');
        return () => void state.watched--;
      },
    };
  };
  return { state, verify };
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('VerifiedTokens', () => {
  it('verifies a token once, also when it is shown several times at once', async () => {
    const { state, verify } = verifier();
    const tokens = new VerifiedTokens({ tokens: { verify } });
    await Promise.all([1, 2, 3].map(() => tokens.grant('a', 'lv_1', {})));
    await tokens.grant('a', 'lv_1', {});
    expect(state.verified).toBe(1);
    // Another input, address or page is another question.
    await tokens.grant('a', 'lv_2', {});
    await tokens.grant('a', 'lv_1', { remoteAddress: '192.0.2.1' });
    await tokens.grant('a', 'lv_1', { origin: 'https://a.example' });
    expect(state).toMatchObject({ verified: 4, watched: 4 });
    tokens.close();
    expect(state.watched).toBe(0);
  });

  it('refuses no token, a bad one every time, and one that has lapsed', async () => {
    const { state, verify } = verifier();
    const tokens = new VerifiedTokens({ tokens: { verify } });
    await expect(tokens.grant('', 'lv_1', {})).rejects.toEqual(code('UNAUTHORIZED'));
    for (let i = 0; i < 2; i++) await expect(tokens.grant('bad', 'lv_1', {})).rejects.toEqual(code('TOKEN_INVALID'));
    expect(state.verified).toBe(2);
    await tokens.grant('a', 'lv_1', {});
    state.reason = 'the token has expired';
    await expect(tokens.grant('a', 'lv_1', {})).rejects.toEqual(code('TOKEN_EXPIRED'));
    tokens.close();
  });

  it('forgets a grant that ended, and the oldest of too many', async () => {
    const { state, verify } = verifier();
    const tokens = new VerifiedTokens({ tokens: { verify }, max: 2 });
    await tokens.grant('a', 'lv_1', {});
    state.end();
    await tokens.grant('a', 'lv_1', {});
    expect(state.verified).toBe(2);
    await tokens.grant('b', 'lv_1', {});
    await tokens.grant('c', 'lv_1', {});
    await tokens.grant('c', 'lv_1', {});
    expect(state.verified).toBe(4);
    await tokens.grant('a', 'lv_1', {});
    expect(state.verified).toBe(5);
    tokens.close();
  });
});
