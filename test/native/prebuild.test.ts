import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { sharedCertificate } from '../helpers/quic.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const prebuilt = `${root}native/prebuilds/streams-quic-linux-x64-gnu`;
const cargo = spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0;

async function smoke(native: string): Promise<string> {
  const { certificatePem, privateKeyPem } = await sharedCertificate();
  const json = JSON.stringify({ native, certificatePem, privateKeyPem });
  return (await run(process.execPath, [`${root}test/native/peer.js`, 'smoke', json], { timeout: 20_000 })).stdout;
}

it('the prebuilt binary was built from these sources', () => {
  const files = readdirSync(`${root}native/src`, { recursive: true }).map((name) => `src/${name}`);
  const hash = createHash('sha256');
  for (const path of [...files, 'Cargo.toml', 'Cargo.lock', 'build.rs'].sort()) {
    const content = readFileSync(`${root}native/${path}`);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  const record = JSON.parse(readFileSync(`${prebuilt}.json`, 'utf8')) as { sourcesSha256: string };
  expect(hash.digest('hex'), 'run: node scripts/prepare-native.js --rebuild').toBe(record.sourcesSha256);
});

it('the prebuilt binary is the one of its record', () => {
  const { binarySha256 } = JSON.parse(readFileSync(`${prebuilt}.json`, 'utf8')) as { binarySha256: string };
  const binary = createHash('sha256')
    .update(readFileSync(`${prebuilt}.node`))
    .digest('hex');
  expect(binary, 'run: node scripts/prepare-native.js --rebuild').toBe(binarySha256);
});

it('the prebuilt binary works', async ({ skip }) => {
  skip(process.platform !== 'linux' || process.arch !== 'x64', 'the prebuilt binary is for Linux on x64');
  expect(await smoke(`${prebuilt}.node`)).toBe('over QUIC');
});

it('the sources build, and what they build works and exports the same', { timeout: 600_000 }, async ({ skip }) => {
  skip(!cargo, 'this machine has no cargo');
  await run(process.execPath, [`${root}scripts/prepare-native.js`, '--check'], { timeout: 590_000 });
  expect(await smoke(`${root}native/target/check/streams-quic.node`)).toBe('over QUIC');
});
