import { parse, TomlError } from 'smol-toml';
import { StreamsError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { knownKeys, renamed, useOf, writtenKeys } from './keys.ts';

/** One key as written, and its value. */
export type Written = { readonly key: string; readonly value: unknown };

/** The keys that are read, by their newest names; and those of no effect, as written. */
export type ReadKeys = { readonly values: ReadonlyMap<string, Written>; readonly ignored: readonly string[] };

const maxTomlLength = 1 << 20;

/**
 * The keys of a relay.toml. `source`: its name, for messages. Throws CONFIG_INVALID for what is no TOML, a key moq-relay does
 * not have, or one said twice; UNSUPPORTED for one that we do not have.
 */
export function readToml(text: string, source: string): ReadKeys {
  const values = new Map<string, Written>();
  const ignored: string[] = [];
  for (const written of leaves(parseToml(text, source), '')) {
    const { key } = written;
    const name = renamed(key);
    const known = useOf(name);
    if (known === undefined) throw unknownKey(key, source);
    if (known.use === 'refused' && !isOff(written.value)) {
      throw new StreamsError('UNSUPPORTED', `${source}: ${key}: ${known.why}`, { hint: `remove ${key}` });
    }
    if (known.use === 'none') ignored.push(key);
    if (known.use === 'read') {
      const other = values.get(name);
      if (other !== undefined) {
        throw new StreamsError('CONFIG_INVALID', `${source}: ${other.key} and ${key} are the same setting`, {
          hint: `remove one; ${name} is the newer name`,
        });
      }
      values.set(name, written);
    }
  }
  return { values, ignored };
}

function parseToml(text: string, source: string): Record<string, unknown> {
  if (text.length > maxTomlLength) throw new StreamsError('CONFIG_INVALID', `${source} is too long`);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its further lines quote the file, which may hold a token.
    const reason = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '');
    throw new StreamsError('CONFIG_INVALID', `${source} line ${error.line}: ${reason}`);
  }
}

function* leaves(table: Readonly<Record<string, unknown>>, prefix: string): Generator<Written> {
  for (const [name, value] of Object.entries(table)) {
    const key = `${prefix}${name}`;
    if (isTable(value)) yield* leaves(value, `${key}.`);
    else yield { key, value };
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** `mesh = false`, `root = []`: nothing is asked for. */
function isOff(value: unknown): boolean {
  return value === false || (Array.isArray(value) && value.length === 0);
}

function unknownKey(key: string, source: string): StreamsError {
  const near = nearest(key, writtenKeys);
  const section = key.slice(0, key.indexOf('.') + 1);
  const beside = writtenKeys.filter((each) => section !== '' && each.startsWith(section));
  const sections = [...new Set(Object.keys(knownKeys).map((each) => each.split('.', 1)[0]!))];
  return new StreamsError('CONFIG_INVALID', `${source}: there is no key ${key}`, {
    hint: near !== undefined ? `did you mean ${near}?` : `known: ${(beside.length > 0 ? beside : sections).join(', ')}`,
  });
}
