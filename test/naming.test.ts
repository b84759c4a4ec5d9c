import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { repoRoot } from './helpers/streams-cli.ts';

const files = readdirSync(join(repoRoot, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.test.ts'),
);

it('a test file is named <what it tests>[.apart|.live|.browser|.peers].test.ts', () => {
  const wrong = files.filter((file) => !/^[a-z0-9-]+(\.(apart|live|browser|peers))?\.test\.ts$/.test(basename(file)));
  expect(files.length).toBeGreaterThan(200);
  expect(wrong).toEqual([]);
});

it('a test that is skipped says why: `skip(condition, reason)` of its context', () => {
  const silent = /\b(it|test|describe)(\.\w+)*\.(skip|skipIf|runIf|todo|only)\b|\bskip\(\)/;
  const wrong = files.filter((file) => silent.test(readFileSync(join(repoRoot, 'test', file), 'utf8')));
  expect(wrong).toEqual([]);
});
