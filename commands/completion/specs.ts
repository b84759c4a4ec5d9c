import type { CommandSpec } from '../command.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

const install = {
  bash: 'streams completion bash > ~/.local/share/bash-completion/completions/streams',
  zsh: 'streams completion zsh > ~/.zfunc/_streams',
  fish: 'streams completion fish > ~/.config/fish/completions/streams.fish',
} as const;

export function completionSpec(shell: Shell): CommandSpec {
  return {
    path: ['completion', shell],
    summary: `Print the completion script of ${shell}: commands, options, and ids from the server`,
    examples: [install[shell]],
    args: {},
    options: {},
  };
}
