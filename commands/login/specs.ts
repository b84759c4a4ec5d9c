import type { CommandSpec } from '../command.ts';

export const loginSpec = {
  path: ['login'],
  summary: 'Keep an API key in a profile; the key comes from a prompt or stdin',
  examples: [
    'streams login --api-url https://streams.example.com',
    'streams login --api-url https://streams.example.com --profile prod < key.txt',
  ],
  args: {},
  options: {},
} as const satisfies CommandSpec;
