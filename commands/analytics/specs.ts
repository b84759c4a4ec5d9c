import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';

const input = { value: 'id', description: 'only this input (lv_…) or asset', complete: 'inputs' } as const;
const last = { value: 'duration', description: 'how far back', parse: parseDuration, default: '7d' } as const;

export const viewersSpec = {
  path: ['analytics', 'viewers'],
  summary: 'Count who is watching now, by input',
  examples: ['streams analytics viewers', 'streams analytics viewers --watch'],
  watchable: true,
  args: {},
  options: { input },
} as const satisfies CommandSpec;

export const summarySpec = {
  path: ['analytics', 'summary'],
  summary: 'Watch time, startup time and drops, by input or by day',
  examples: ['streams analytics summary', 'streams analytics summary --by day --last 30d'],
  args: {},
  options: {
    by: { value: 'what', description: 'one line for each', choices: ['input', 'day'], default: 'input' },
    last,
    input,
  },
} as const satisfies CommandSpec;

export const broadcastsSpec = {
  path: ['analytics', 'broadcasts'],
  summary: 'List when inputs were on air',
  examples: ['streams analytics broadcasts --input lv_…'],
  args: {},
  options: { last, input },
} as const satisfies CommandSpec;

export const sessionsSpec = {
  path: ['analytics', 'sessions'],
  summary: 'List viewer sessions one by one: watch time, startup time, drops, how and why they ended',
  examples: ['streams analytics sessions --input lv_… --last 1d', 'streams analytics sessions --viewer alice'],
  args: {},
  options: { last, input, viewer: { value: 'id', description: 'only this viewer (the subject of the token)' } },
} as const satisfies CommandSpec;

export const concurrencySpec = {
  path: ['analytics', 'concurrency'],
  summary: 'Viewers at once over time: the peak of every step',
  examples: ['streams analytics concurrency --last 1d --step 1h'],
  args: {},
  options: {
    step: { value: 'duration', description: 'length of a step', parse: parseDuration, default: '1h' },
    last,
    input,
  },
} as const satisfies CommandSpec;
