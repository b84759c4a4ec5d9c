import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const deadlineMs = 15_000;

/** A program in a real terminal, driven like a person does. */
export type Terminal = AsyncDisposable & {
  type(text: string): Promise<void>;
  press(...keys: string[]): Promise<void>;
  /** The screen, once the pattern shows on it. */
  sees(pattern: RegExp): Promise<string>;
  clear(): Promise<void>;
};

export async function startTerminal(command: string): Promise<Terminal> {
  if (spawnSync('tmux', ['-V']).error !== undefined) throw new Error('this test needs tmux: apt-get install -y tmux');
  const name = `streams-test-${randomBytes(4).toString('hex')}`;
  const tmux = async (...args: string[]) =>
    (await promisify(execFile)('tmux', ['-L', name, '-f', '/dev/null', ...args])).stdout;
  await tmux('new-session', '-d', '-s', 'main', '-x', '120', '-y', '40', command);
  return {
    type: async (text) => void (await tmux('send-keys', '-t', 'main', '-l', '--', text)),
    press: async (...keys) => void (await tmux('send-keys', '-t', 'main', ...keys)),
    clear: async () => void (await tmux('send-keys', '-R', '-t', 'main')),
    async sees(pattern) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const screen = await tmux('capture-pane', '-p', '-t', 'main');
        if (pattern.test(screen)) return screen;
        if (Date.now() > end) throw new Error(`${pattern} does not show:\n${screen}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => {});
    },
  };
}
