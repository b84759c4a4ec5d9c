import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signature } from '../../src/control/webhooks/send.ts';
import { repoRoot } from '../helpers/streams-cli.ts';

it('the check that docs/webhooks.md shows takes what we sign, and nothing else', async () => {
  const page = await readFile(join(repoRoot, 'docs', 'webhooks.md'), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(page)![1]!;
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const now = 1_795_211_861;
  const header = signature('whsec_a', now, '{"id":"evt_1"}');
  expect(isGenuine('whsec_a', header, '{"id":"evt_1"}', now + 10)).toBe(true);
  expect(isGenuine('whsec_a', header, '{"id":"evt_2"}', now)).toBe(false);
  expect(isGenuine('whsec_b', header, '{"id":"evt_1"}', now)).toBe(false);
  expect(isGenuine('whsec_a', header, '{"id":"evt_1"}', now + 301)).toBe(false);
  for (const none of [undefined, '', 't=1', `${header}0`]) expect(isGenuine('whsec_a', none, '', now)).toBe(false);
});
