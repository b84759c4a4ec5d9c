import { describe, expect, it } from 'vitest';
import { generateKey } from '../../../src/access/relay-token/generate.ts';
import { tokenAuthoriser } from '../../../src/access/relay-token/path-authoriser.ts';
import { signToken, verifyToken } from '../../../src/access/relay-token/token.ts';

const all = { root: '', publish: [''], subscribe: [''] };

describe('the cluster right', () => {
  it('is in the grant of a token that says so, and of no other', async () => {
    const key = await generateKey({ algorithm: 'HS256' });
    const authoriser = tokenAuthoriser({
      keys: { find: async () => key },
      anonymous: { publish: [{ fields: [], below: true }], subscribe: [] },
    });
    const grantOf = async (query: string) => authoriser.authorise({ path: `/${query}`, remoteAddress: '' });
    expect((await grantOf(`?jwt=${await signToken(key, { ...all, cluster: true })}`)).cluster).toBe(true);
    expect((await grantOf(`?jwt=${await signToken(key, all)}`)).cluster).toBe(false);
    expect((await grantOf('?cluster=1')).cluster).toBe(false);
  });

  it('is not for keys of limited scope to give', async () => {
    const scoped = await generateKey({ algorithm: 'HS256', scope: { root: '', publish: [''], subscribe: [''] } });
    await expect(signToken(scoped, { ...all, cluster: true })).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(verifyToken(scoped, await signToken(scoped, all))).resolves.toMatchObject({ root: [] });
  });
});
