import { StreamsError } from '../../core/errors.ts';
import { anyField, everythingBelow, type NamespacePattern } from '../pattern.ts';

/** MoQT allows no more fields in a namespace (draft-18 2.4.1). */
const maxFields = 32;

/** `/demo//room/` is `demo`, `room`: slashes at the ends and doubled ones mean nothing. Throws MALFORMED. */
export function parsePath(text: string): string[] {
  const fields = text.split('/').filter((field) => field !== '');
  if (fields.length > maxFields) throw new StreamsError('MALFORMED', `a path has at most ${maxFields} parts`);
  return fields;
}

/** The older form of a right: a prefix, `foo` means `foo` and everything below it. Throws MALFORMED. */
export function parsePrefix(root: readonly string[], text: string): NamespacePattern {
  return everythingBelow([...root, ...parsePath(text)]);
}

/**
 * The newer form: `foo` is exactly that, `foo/**` is it and everything below, `live/*` everything one part below. Throws
 * MALFORMED.
 */
export function parsePattern(root: readonly string[], text: string): NamespacePattern {
  const fields = parsePath(text);
  const below = fields.at(-1) === '**';
  if (below) fields.pop();
  return {
    fields: [
      ...root,
      ...fields.map((field) => {
        if (field === '*') return anyField;
        if (field.includes('*')) {
          throw new StreamsError('MALFORMED', `in "${text}" an asterisk is neither a whole part nor the last two`);
        }
        return field;
      }),
    ],
    below,
  };
}

/** For people: `demo/room/**`. */
export function showPattern({ fields, below }: NamespacePattern): string {
  return [...fields.map((field) => (field === anyField ? '*' : field)), ...(below ? ['**'] : [])].join('/');
}
