import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseClaims, rightsAt } from '../../src/access/relay-token/claims.ts';
import { parseKey } from '../../src/access/relay-token/key.ts';
import { tokenAuthoriser } from '../../src/access/relay-token/path-authoriser.ts';
import { parsePrefix } from '../../src/access/relay-token/paths.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { relaySettings } from '../../src/serve/relay-settings/relay-settings.ts';
import { mutate, random } from './random.ts';

const rounds = 2000;
const bytes = (texts: readonly string[]) => texts.map((text) => new TextEncoder().encode(text));
const text = (each: Uint8Array) => new TextDecoder().decode(each);

/** Runs it; whatever it throws must be a StreamsError of these codes. */
async function only(codes: readonly string[], run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StreamsError)) throw error;
    expect(codes).toContain(error.code);
  }
}

describe('what strangers send to a relay alone', () => {
  it('as a path and token is refused in words', async () => {
    const key = parseKey(JSON.stringify({ kty: 'oct', alg: 'HS256', k: 'A'.repeat(64), kid: 'one' }));
    const token = await new SignJWT({ root: 'demo', put: ['a'], get: '' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(Buffer.from('A'.repeat(64), 'base64url'));
    const all = [parsePrefix([], 'anon')];
    const authoriser = tokenAuthoriser({
      keys: { find: async () => key },
      anonymous: { publish: all, subscribe: all },
    });
    const seeds = bytes([`/demo/a?jwt=${token}`, '/anon/%20/b', '/', '?jwt=', `//demo//?x&jwt=${token}&jwt=`]);
    const next = random(11);
    for (let i = 0; i < rounds; i++) {
      const path = text(mutate(seeds, next));
      await only(['UNAUTHORIZED', 'TOKEN_INVALID', 'NOT_FOUND'], () =>
        authoriser.authorise({ path, remoteAddress: '' }),
      );
    }
  });

  it('as claims is refused in words', async () => {
    const seeds = bytes([
      '{"root":"demo","put":["a","b"],"get":"","exp":1893456000}',
      '{"root":"","publish":["a/**","b/*"],"subscribe":"**"}',
      '{"pub":"","sub":"x"}',
    ]);
    const next = random(12);
    for (let i = 0; i < rounds; i++) {
      let claims: Record<string, unknown>;
      try {
        claims = JSON.parse(text(mutate(seeds, next)));
      } catch {
        continue;
      }
      await only(['TOKEN_INVALID'], () => rightsAt(['demo', 'a'], parseClaims(Object(claims))));
    }
  });

  it('and what stands in files of keys and settings, as well', async () => {
    const keys = bytes([
      JSON.stringify({ kty: 'EC', crv: 'P-256', alg: 'ES256', x: 'AA', y: 'AA', kid: 'a', scope: { put: ['a'] } }),
      JSON.stringify({ alg: 'HS256', k: 'A'.repeat(64), key_ops: ['sign'] }),
    ]);
    const settings = bytes([
      '[server]\nlisten = "[::]:443"\ntls.cert = ["a"]\ntls.key = "b"\n[auth]\npublic = ["anon", "x/**"]\n',
      'drain_timeout = "10s"\n[cache]\ncapacity = "8GiB"\n[auth.public]\nsubscribe = ""\n[log]\nlevel = "info"\n',
    ]);
    const next = random(13);
    for (let i = 0; i < rounds; i++) {
      await only(['CONFIG_INVALID'], () => parseKey(text(mutate(keys, next))));
      await only(['CONFIG_INVALID', 'UNSUPPORTED'], () =>
        relaySettings({ text: text(mutate(settings, next)), name: 'relay.toml' }),
      );
    }
  });
});
