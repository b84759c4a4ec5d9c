import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repoRoot } from '../helpers/streams-cli.ts';
import { commandLine } from './command-line.ts';

it('every variable that the program reads is explained by `help environment`', async () => {
  const read = new Set<string>();
  for (const room of ['src', 'commands', 'bin']) {
    for (const file of await readdir(join(repoRoot, room), { recursive: true })) {
      if (!/\.(ts|js)$/.test(file)) continue;
      const source = await readFile(join(repoRoot, room, file), 'utf8');
      for (const [, name] of source.matchAll(/\benv\.(STREAMS_[A-Z_]+)/g)) read.add(name!);
    }
  }
  expect(read.size).toBeGreaterThan(5);
  const { variables } = JSON.parse((await commandLine(['help', 'environment', '--json'])).stdout);
  const explained = new Set(variables.map(({ name }: { name: string }) => name));
  expect([...read].filter((name) => !explained.has(name))).toEqual([]);
});
