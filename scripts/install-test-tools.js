// The tests need a real encoder, a real browser, a real Postgres, a real terminal and its shells.
//
//   node scripts/install-test-tools.js           `npm run test:setup`: installs those that are missing with apt-get, as root; says which before it does.
//                                                Where it may not or cannot, it says what to install by hand, and exits with 1.
//   node scripts/install-test-tools.js --check   runs before `npm test`: installs nothing, says which tests' tools are missing, and lets those tests fail
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps the server's programs out of PATH, one folder a version. */
function debianPostgres() {
  const root = '/usr/lib/postgresql';
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [];
}

const tools = [
  { command: 'ffmpeg', package: 'ffmpeg' },
  { command: 'ffprobe', package: 'ffmpeg' },
  { command: 'tmux', package: 'tmux' },
  { command: 'zsh', package: 'zsh' },
  { command: 'fish', package: 'fish' },
  { command: 'srt-live-transmit', package: 'srt-tools' },
  { command: 'chromium', package: 'chromium' },
  { command: 'postgres', package: 'postgresql', folders: debianPostgres() },
];

const onPath = (command, folders = []) =>
  [...(process.env.PATH ?? '').split(delimiter), ...folders].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const missing = () => tools.filter((tool) => !onPath(tool.command, tool.folders));
const packagesOf = (found) => [...new Set(found.map((tool) => tool.package))];
const byHand = (packages) => `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install -y ${packages.join(' ')}`;

function check() {
  const lacking = missing();
  if (lacking.length === 0) return;
  console.error(
    `Not on this machine: ${lacking.map(({ command }) => command).join(', ')}. Tests that use them will fail.`,
  );
  console.error(`Try: npm run test:setup (as root it runs: ${byHand(packagesOf(lacking))})`);
}

/** Returns what is still missing. */
function setUp() {
  const packages = packagesOf(missing());
  if (packages.length === 0) {
    console.error(`All that the tests need is here: ${tools.map(({ command }) => command).join(', ')}`);
    return [];
  }
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.error(`Installing what only the tests need, with apt-get: ${packages.join(', ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const run = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    run('update', '-q');
    run('install', '-y', '-q', '--no-install-recommends', ...packages);
  }
  return packagesOf(missing());
}

if (process.argv.includes('--check')) check();
else {
  const lacking = setUp();
  if (lacking.length > 0) {
    console.error(`The tests need ${lacking.join(' and ')}. Try: ${byHand(lacking)}`);
    process.exitCode = 1;
  }
}
