import { StreamsError } from '../../core/errors.ts';

/**
 * Structured-field strings (RFC 9651 section 3.3.3), as in `wt-available-protocols: "moqt-18", "moqt-16"` (a list) and
 * `wt-protocol: "moqt-18"` (one item).
 */

const maxStrings = 32;
const maxLength = 2048;

/** Throws INVALID_ARGUMENT for what is not printable ASCII. */
export function encodeStringList(strings: readonly string[]): string {
  return strings.map(encodeString).join(', ');
}

function encodeString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text))
    throw new StreamsError('INVALID_ARGUMENT', 'a protocol name must be printable ASCII');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Parameters of the members are skipped; tokens are taken for strings, since early implementations sent them.
 * Throws MALFORMED, and LIMIT_EXCEEDED above 32 members or 2048 characters.
 */
export function decodeStringList(text: string): string[] {
  if (text.length > maxLength) throw new StreamsError('LIMIT_EXCEEDED', `a list of ${text.length} characters`);
  const strings: string[] = [];
  const member =
    /[ \t]*(?:"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"|([A-Za-z*][\w!#$%&'*+.^`|~:/-]*))((?:;[^,";]*(?:"[^"]*")?)*)[ \t]*(,|$)/y;
  while (member.lastIndex < text.length) {
    const match = member.exec(text);
    if (match === null) throw new StreamsError('MALFORMED', 'not a list of strings');
    if (strings.length === maxStrings) throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxStrings} strings`);
    strings.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2]!);
    if (match[4] === ',' && member.lastIndex === text.length)
      throw new StreamsError('MALFORMED', 'the list ends in a comma');
    if (match[4] === '') break;
  }
  return strings;
}
