import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { type EndpointName, type EveryEndpoint, endpoints } from '../../src/contract/endpoints.ts';
import { analytics } from '../../src/contract/internal/analytics.ts';
import { assetState, assetsGone, recordings, uploadAuthorize } from '../../src/contract/internal/assets.ts';
import { engineClaim, heartbeat } from '../../src/contract/internal/heartbeat.ts';
import { installation, revocations, tokenRedeem } from '../../src/contract/internal/playback.ts';
import { publishAuthorize } from '../../src/contract/internal/publish-authorize.ts';
import { relayAuth } from '../../src/contract/internal/relay-auth.ts';
import { serviceToken, startTestControl } from '../control/helpers.ts';

const shapes: EveryEndpoint = {
  publishAuthorize,
  heartbeat,
  engineClaim,
  assetState,
  recordings,
  assetsGone,
  uploadAuthorize,
  tokenRedeem,
  revocations,
  installation,
  analytics,
  relayAuth,
};
const names = Object.keys(endpoints) as EndpointName[];

/** `{a, b?}`, as the table writes it. */
function members(type: z.ZodType): string {
  const { shape } = type as z.ZodObject;
  const each = Object.entries(shape).map(
    ([name, member]) => `${name}${(member as z.ZodType).safeParse(undefined).success ? '?' : ''}`,
  );
  return `{${each.join(', ')}}`;
}

it("says in ARCHITECTURE's table what each endpoint is asked and answers, and no other", () => {
  const rows = readFileSync('ARCHITECTURE.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|') && line.includes('/internal/') && !line.includes('src/'))
    .map((line) => /^\| [^`]*`[^`]*` `[^`]*` → `[^`]*`/.exec(line)?.[0] ?? line);
  const wanted = names.map((name) => {
    const { from, method, path } = endpoints[name];
    const { request, answer } = shapes[name];
    return `| ${from} → control | \`${method} ${path}\` \`${members(request)}\` → \`${members(answer)}\``;
  });
  expect(rows.sort()).toEqual(wanted.sort());
});

it('has every endpoint at its place in control', async () => {
  await using control = await startTestControl();
  for (const name of names) {
    const { method, path } = endpoints[name];
    const body = method === 'POST' ? { body: { nothing: true } } : {};
    const { status } = await control.call(method, path, { key: serviceToken, ...body });
    // Where nothing is mounted the answer is 404.
    expect([200, 400], `${name}: ${status}`).toContain(status);
  }
});
