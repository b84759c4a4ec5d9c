import { StreamsError } from '../../src/core/errors.ts';
import type { Output } from './output.ts';
import { printable, printableJson } from './printable.ts';
import type { Terminal } from './terminal.ts';

type Path = { text: string; steps: readonly (string | number | { each: true })[] };

/** `input.id`, `items[].name`, `items[0].name`, as in the documented `--json` form. Throws USAGE. */
export function parseField(text: string): Path {
  const words = text.replace(/^\./, '');
  if (!/^[\w-]+(\[\d*\])*(\.[\w-]+(\[\d*\])*)*$/.test(words)) {
    throw new StreamsError('USAGE', `"${text}" is no field`, { hint: '--field input.id, or --field inputs[].name' });
  }
  const steps = [...words.matchAll(/\[(\d*)\]|[\w-]+/g)].map(([word, index]) =>
    index === undefined ? word : index === '' ? ({ each: true } as const) : Number(index),
  );
  return { text: words, steps };
}

/** undefined where the path leads nowhere. */
export function pick(value: unknown, { steps }: Path): unknown[] | undefined {
  let found = [value];
  for (const step of steps) {
    const next: unknown[] = [];
    for (const each of found) {
      if (typeof step === 'object') {
        if (!Array.isArray(each)) return undefined;
        next.push(...each);
      } else if (typeof each === 'object' && each !== null && Object.hasOwn(each, step)) {
        const value = (each as Record<string | number, unknown>)[step];
        // JSON leaves it out.
        if (value === undefined) return undefined;
        next.push(value);
      } else return undefined;
    }
    found = next;
  }
  return found;
}

/** Prints only the picked values, one a line: text as it is, anything else as JSON. Events without the field are passed over. */
export function fieldOutput(terminal: Terminal, path: Path, under: Output): Output {
  // A script gets the text as it is, a person what a terminal does not obey.
  const shown = terminal.outIsTty ? printable : (text: string) => text;
  const print = (values: readonly unknown[]) => {
    for (const value of values) terminal.out(`${typeof value === 'string' ? shown(value) : printableJson(value)}\n`);
  };
  return {
    ...under,
    json: true,
    interactive: false,
    async result({ json }) {
      const whole = { version: 1, ...json };
      const values = pick(whole, path);
      if (values === undefined) {
        throw new StreamsError('USAGE', `there is no field "${path.text}"`, {
          hint: `--field ${fieldsOf(whole).join(' | ')}`,
        });
      }
      print(values);
    },
    event: ({ json }) => print(pick(json, path) ?? []),
    live: ({ json }) => print(pick(json, path) ?? []),
    progress() {},
    note() {},
    warn() {},
    next() {},
  };
}

/** What could have been asked for, two levels deep. */
function fieldsOf(value: object): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    if (inner === undefined) return [];
    if (Array.isArray(inner)) {
      const [first] = inner;
      const names =
        typeof first === 'object' && first !== null ? Object.keys(first).map((key) => `${name}[].${key}`) : [];
      return names.length === 0 ? [`${name}[]`] : names;
    }
    return typeof inner === 'object' && inner !== null ? Object.keys(inner).map((key) => `${name}.${key}`) : [name];
  });
}
