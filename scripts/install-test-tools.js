// `npm test` runs this first: the suite needs a real encoder, a real browser, a real Postgres, a real terminal and its shells. As root on a Debian machine they are
// installed; otherwise this says what to install and lets the tests that need them fail with the same words.
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

const packages = [...new Set(tools.filter((tool) => !onPath(tool.command, tool.folders)).map((tool) => tool.package))];
if (packages.length > 0) {
  const byHand = `apt-get install -y ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.error(`Installing what only the tests need: ${packages.join(', ')}`);
    const run = (...args) =>
      spawnSync('apt-get', args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    run('update', '-q');
    const installed = run('install', '-y', '-q', '--no-install-recommends', ...packages);
    if (installed.status !== 0) console.error(`Could not install them. Try: ${byHand}`);
  } else {
    console.error(`The tests need ${packages.join(' and ')}, and tests that use them will fail. Try: ${byHand}`);
  }
}
