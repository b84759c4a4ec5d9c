import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { udpCheck } from '../../commands/doctor/relay.ts';

import { nodeConnect } from '../../commands/watch/broadcast.ts';
import { moqtVersions } from '../../src/codec/moqt/version-names.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { openRelay } from '../relay/open-relay.ts';
import { commandLine } from './command-line.ts';

it('--versions of a viewer names the nearest version when there is none of that name', () => {
  expect(() => nodeConnect(undefined, ['mopt-18'])).toThrow('did you mean moqt-18?');
  expect(() => nodeConnect(undefined, ['moq-lite-05'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(nodeConnect(undefined, ['moqt-18,moqt-14'])).toBeTypeOf('function');
});

it.each([
  ['inspect', 'catalog', 'https://127.0.0.1:9/playback/lv_one'],
  ['inspect', 'track', 'https://127.0.0.1:9/anon', '--namespace', 'a'],
  ['watch', 'https://127.0.0.1:9/playback/lv_one'],
])('streams %s %s has it', async (...args) => {
  const { code, stderr } = await commandLine([...args, '--versions', 'mopt-18']);
  expect(stderr).toContain('did you mean moqt-18?');
  expect(code).toBe(2);
});

it('a relay of another version is told by doctor, and not published to', { timeout: 30_000 }, async () => {
  const { relay, close } = await openRelay({ versions: ['moqt-16'] });
  onTestFinished(close);
  const { signal } = new AbortController();
  const url = `https://127.0.0.1:${relay.port}`;
  const asked = { url, certificateSha256: relay.certificateSha256 };
  expect(await udpCheck(asked, signal)).toMatchObject({ status: 'ok', message: `${url} answers` });
  const spoken = await udpCheck(asked, signal, ['moqt-18', 'moqt-16']);
  expect(spoken).toMatchObject({ status: 'ok', message: `${url} answers, and speaks moqt-16` });
  expect(await udpCheck(asked, signal, ['moqt-18'])).toMatchObject({
    status: 'fail',
    hint: expect.stringContaining('without --versions'),
  });
  const publish = (versions: string[]) =>
    nodeConnect([fromHex(relay.certificateSha256)], versions)(`${url}/publish/lv_one`, { signal });
  await expect(publish(['moqt-18'])).rejects.toMatchObject({ name: 'StreamsError' });
  const transport = await publish(['moqt-16']);
  expect(transport.protocol).toBe('moqt-16');
  transport.close({ code: 0, reason: '' });
});

it('docs/relay.md tells of every version', async () => {
  const text = await readFile(new URL('../../docs/relay.md', import.meta.url), 'utf8');
  const rows = text.slice(text.indexOf('## Versions of MoQT'), text.indexOf('## moq-lite')).match(/^\| `.*$/gm) ?? [];
  const named = rows.flatMap((row) => row.split('|')[1]!.match(/moqt-\d+/g) ?? []);
  expect(named).toEqual(moqtVersions);
});
