import { withDeadline } from '../../src/core/deadline.ts';
import { readProfiles } from '../../src/serve/profiles.ts';
import type { Command, CommandSpec, Completion, OptionSpec } from '../command.ts';
import type { GlobalOptions } from '../global-options.ts';
import { commands, groups } from '../registry.ts';

type Candidate = readonly [value: string, description: string];

const files: readonly Candidate[] = [[':files', '']];
/** Arguments and values of these names are paths. */
const pathNames = ['file', 'dir', 'source'];
const serverTimeoutMs = 1500;

const globals: Record<string, OptionSpec> = {
  apiUrl: { value: 'url', description: 'control plane' },
  apiKey: { value: 'key', description: 'API key' },
  profile: { value: 'name', description: 'profile', complete: 'profiles' },
  json: { description: 'print JSON for scripts' },
  field: { value: 'path', description: 'print only this of the JSON' },
  quiet: { description: 'print nothing but data and errors' },
  help: { description: 'explain the command' },
};

/**
 * What could stand in the place of the last word: `value<TAB>description` lines, or `:files`. Never throws: a shell that
 * completes has nowhere to show an error.
 */
export async function complete(words: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const last = words.at(-1) ?? '';
  const found = await candidates(words.slice(0, -1), last, env, signal).catch(() => []);
  return found
    .filter(([value]) => value === ':files' || value.startsWith(last))
    .map(([value, description]) =>
      value === ':files' ? ':files\n' : `${value}\t${description.replace(/\s+/g, ' ')}\n`,
    )
    .join('');
}

async function candidates(
  before: readonly string[],
  last: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const { plain, given, open } = read(before);
  const command = commandOf(plain);
  const options: Record<string, OptionSpec> = { ...globals, ...command?.spec.options };
  if (command?.spec.watchable) options.watch = { description: 'show what changes' };
  const pending = open === undefined ? undefined : options[open];
  if (pending?.value !== undefined) return values(pending, pending.value, given, env, signal);
  if (last.startsWith('-')) {
    return Object.entries(options)
      .filter(([name, option]) => option.repeatable === true || !given.has(name))
      .map(([name, { description }]) => [longOf(name), description]);
  }
  if (command === undefined) return nextWords(plain);
  const arg = Object.entries(command.spec.args)[plain.length - command.spec.path.length];
  return arg === undefined ? [] : values(arg[1], arg[0], given, env, signal);
}

/** The words that are no options, the options with their values, and the one that still wants its value. */
function read(words: readonly string[]) {
  const plain: string[] = [];
  const given = new Map<string, string>();
  let open: string | undefined;
  for (const word of words) {
    if (open !== undefined) {
      given.set(open, word);
      open = undefined;
      continue;
    }
    if (!word.startsWith('-')) {
      plain.push(word);
      continue;
    }
    const [long = '', value] = word.split('=', 2);
    const name = long.replace(/^-+/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    given.set(name, value ?? '');
    const option = commandOf(plain)?.spec.options[name] ?? globals[name];
    if (value === undefined && option?.value !== undefined) open = name;
  }
  return { plain, given, open };
}

function commandOf(words: readonly string[]): Command | undefined {
  return (commands as readonly Command[]).find(({ spec }) => spec.path.every((word, index) => words[index] === word));
}

function nextWords(plain: readonly string[]): Candidate[] {
  const found = new Map<string, string>();
  for (const { spec } of commands as readonly { spec: CommandSpec }[]) {
    const next = spec.path[plain.length];
    if (next === undefined || !plain.every((word, index) => spec.path[index] === word)) continue;
    found.set(next, spec.path.length === plain.length + 1 ? spec.summary : (groups[next] ?? ''));
  }
  return [...found];
}

async function values(
  { choices, complete: from }: { choices?: readonly string[]; complete?: Completion },
  name: string,
  given: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  if (choices !== undefined) return choices.map((choice) => [choice, '']);
  if (from === undefined) return pathNames.includes(name) ? files : [];
  if (from === 'profiles') {
    return Object.entries((await readProfiles(env)).profiles).map(([name, { apiUrl }]) => [name, apiUrl]);
  }
  return ids(from, given, env, signal);
}

type Listed = { id: string; name?: string; alg?: string; url?: string; status?: string };

/** The newest page is enough to choose from. */
async function ids(
  from: Exclude<Completion, 'profiles'>,
  given: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const [{ apiClient }, { resolveConnection }] = await Promise.all([
    import('../connection/api-client.ts'),
    import('../profile.ts'),
  ]);
  const global: GlobalOptions = {
    json: false,
    apiUrl: given.get('apiUrl'),
    apiKey: given.get('apiKey'),
    profile: given.get('profile'),
  };
  const path = from === 'inputs' ? 'live-inputs' : from === 'keys' ? 'signing-keys' : from;
  const { items } = await withDeadline(serverTimeoutMs, signal, async (soon) => {
    const client = apiClient(await resolveConnection(global, env), soon);
    return client.request<{ items: Listed[] }>('GET', `/v1/${path}?limit=200`);
  });
  return items.map(({ id, name, alg, url, status }) => [id, [name ?? alg ?? url, status].filter(Boolean).join(', ')]);
}

function longOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
