// Puts the QUIC socket (native/) in place: the prebuilt binary when it was built from these very sources, else a build
// with cargo, else a line that says what works without it. Plain Node, no dependencies: it runs during `npm ci`.
//
//   node scripts/prepare-native.js             used by `npm prepare`; never fails an install
//   node scripts/prepare-native.js --rebuild   build, and refresh the prebuilt binary and its record
//   node scripts/prepare-native.js --check     build, and verify the record and that both binaries export the same

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native');
const platform = platformName();
const prebuilt = join(native, 'prebuilds', `streams-quic-${platform}.node`);
const record = join(native, 'prebuilds', `streams-quic-${platform}.json`);

function platformName() {
  const libc =
    process.platform === 'linux' ? (process.report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl') : '';
  return `${process.platform}-${process.arch}${libc}`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** SHA-256 over path and content of everything the binary is made from, in the order of the paths. */
function sourcesSha256() {
  const paths = readdirSync(join(native, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(native.length + 1));
  paths.push('Cargo.toml', 'Cargo.lock', 'build.rs');
  const hash = createHash('sha256');
  for (const path of paths.map((path) => path.replaceAll('\\', '/')).sort()) {
    const content = readFileSync(join(native, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Why the prebuilt binary is not the one of these sources; undefined where it is. */
function unfit() {
  if (!existsSync(prebuilt) || !existsSync(record)) return 'there is no prebuilt binary';
  const { sourcesSha256: sources, binarySha256: binary } = JSON.parse(readFileSync(record, 'utf8'));
  if (sources !== sourcesSha256()) return 'the prebuilt binary was not built from these sources';
  if (binary !== sha256(prebuilt)) return 'the prebuilt binary is not the one of its record';
  return undefined;
}

function hasCargo() {
  return spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Builds in native/target and returns the path of the library. */
function build(profile = 'release') {
  const env = { ...process.env, CARGO_PROFILE_DEV_DEBUG: 'false' };
  const built = spawnSync('cargo', ['build', '--locked', '--profile', profile], { cwd: native, stdio: 'inherit', env });
  if (built.status !== 0) throw new Error('cargo build failed');
  const names = { linux: 'libstreams_quic.so', darwin: 'libstreams_quic.dylib', win32: 'streams_quic.dll' };
  return join(native, 'target', profile === 'dev' ? 'debug' : profile, names[process.platform] ?? names.linux);
}

/** Copy and rename, so that a process that has the old file mapped keeps it whole. */
function place(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function install(library) {
  place(library, prebuilt);
  const rustc = execFileSync('rustc', ['--version'], { encoding: 'utf8' }).trim();
  writeFileSync(
    record,
    `${JSON.stringify({ sourcesSha256: sourcesSha256(), binarySha256: sha256(prebuilt), rustc }, null, 2)}\n`,
  );
}

function exportsOf(path) {
  const module = createRequire(import.meta.url)(path);
  const methods = Object.getOwnPropertyNames(module.QuicSocket.prototype);
  return [...Object.keys(module), ...methods].sort().join(' ');
}

function check() {
  const reason = unfit();
  if (reason !== undefined) throw new Error(reason);
  const fresh = join(native, 'target', 'check', 'streams-quic.node');
  // The release build is the prebuilt one; without its optimisation this takes half as long.
  place(build('dev'), fresh);
  const [want, have] = [exportsOf(fresh), exportsOf(prebuilt)];
  if (want !== have) throw new Error(`the binaries export different names:\n${want}\n${have}`);
  say(`native: ok, both export ${want}`);
}

/** A binary for a newer C library than this machine's is there and does not load. */
function loads() {
  try {
    return exportsOf(prebuilt) !== '';
  } catch {
    return false;
  }
}

function prepare() {
  if (unfit() === undefined && loads()) return;
  if (!hasCargo()) {
    say(`QUIC is not available: no prebuilt socket that fits ${platform} and no cargo to build one.`);
    say(
      'Viewers and the engine use WebSocket, and LL-HLS works. To have QUIC, install Rust (https://rustup.rs) and run: npm run prepare',
    );
    return;
  }
  say(`native: building the QUIC socket for ${platform} with cargo, about a minute`);
  try {
    install(build());
  } catch (error) {
    say(`QUIC is not available: ${error.message}. Viewers and the engine use WebSocket, and LL-HLS works.`);
  }
}

const flag = process.argv[2];
try {
  if (flag === '--check') check();
  else if (flag === '--rebuild') install(build());
  else prepare();
} catch (error) {
  say(`native: ${error.message}. Run: node scripts/prepare-native.js --rebuild`);
  process.exitCode = 1;
}
