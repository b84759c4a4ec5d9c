import { readProfiles } from '../../src/serve/profiles.ts';
import type { Run } from '../command.ts';
import type { listSpec } from './specs.ts';

export const run: Run<typeof listSpec> = async ({ env, output }) => {
  const { current, profiles } = await readProfiles(env);
  const rows = Object.entries(profiles).map(([name, { apiUrl, apiKey }]) => ({
    name,
    current: name === current,
    apiUrl,
    hasKey: apiKey !== undefined,
  }));
  await output.result({
    json: { type: 'profiles', profiles: rows },
    blocks: [
      {
        kind: 'table',
        columns: ['', 'profile', 'server', 'key'],
        rows: rows.map((row) => [row.current ? '*' : '', row.name, row.apiUrl, row.hasKey ? 'yes' : 'no']),
        empty: 'No profiles yet.',
      },
    ],
  });
  if (rows.length === 0) output.next(['streams login', 'streams serve']);
};
