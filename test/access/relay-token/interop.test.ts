import * as moq from '@moq/token';
import { describe, expect, it } from 'vitest';
import { generateKey } from '../../../src/access/relay-token/generate.ts';
import { parseKey, publicHalf, type RelayAlgorithm, relayAlgorithms } from '../../../src/access/relay-token/key.ts';
import { showPattern } from '../../../src/access/relay-token/paths.ts';
import { signToken, verifyToken } from '../../../src/access/relay-token/token.ts';

const exp = Math.floor(Date.now() / 1000) + 600;

it('knows the algorithms of @moq/token, no more and no fewer', () => {
  expect([...relayAlgorithms].sort()).toEqual([...moq.AlgorithmSchema.options].sort());
});

describe.each(relayAlgorithms.map((algorithm) => ({ algorithm })))('$algorithm', ({ algorithm }) => {
  it('keys and tokens of @moq/token are accepted', async () => {
    const theirs = await moq.generate(algorithm as RelayAlgorithm, 'their-key');
    const token = await moq.sign(theirs, { root: 'rooms/123', put: 'alice', get: ['', 'x'], exp });
    const text = JSON.stringify(theirs);
    const key = parseKey(theirs.kty === 'oct' ? text : JSON.stringify(moq.toPublicKey(theirs)));
    expect(key.kid).toBe('their-key');
    const claims = await verifyToken(key, token);
    expect(claims).toMatchObject({ root: ['rooms', '123'], expiresAt: exp });
    expect(claims.publish.map(showPattern)).toEqual(['rooms/123/alice/**']);
    expect(claims.subscribe.map(showPattern)).toEqual(['rooms/123/**', 'rooms/123/x/**']);
    // The whole key verifies too, and the older form of a key file is read.
    await verifyToken(parseKey(Buffer.from(text).toString('base64url')), token);
  });

  it('keys and tokens of ours are accepted by @moq/token', async () => {
    const ours = await generateKey({ algorithm: algorithm as RelayAlgorithm });
    const token = await signToken(ours, { root: 'demo', publish: ['cam'], subscribe: [''], expiresAt: exp });
    const text = JSON.stringify(ours.kty === 'oct' ? ours.jwk : publicHalf(ours).jwk);
    const key = ours.kty === 'oct' ? moq.load(text) : moq.loadPublic(text);
    expect(key.kid).toBe(ours.kid);
    const claims = await moq.verify(key as Parameters<typeof moq.verify>[0], token, 'demo');
    expect(claims).toEqual({ root: 'demo', put: ['cam'], get: [''], exp });
    // And theirs signs with our key.
    const back = await moq.sign(moq.load(JSON.stringify(ours.jwk)), { root: '', get: 'a' });
    expect((await verifyToken(ours, back)).subscribe.map(showPattern)).toEqual(['a/**']);
  });
});
