/** A string, or one of the signs that give JSON its structure. */
const signs = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

/**
 * Names that an object of well-formed JSON has twice, at any depth. JSON.parse takes the last of them in silence, others the first:
 * what is signed must not mean one thing here and another elsewhere (RFC 7519 section 4, RFC 7515 section 4).
 */
export function repeatedNames(json: string): string[] {
  /** Names of the objects that are open; undefined stands for an array. */
  const open: (Set<string> | undefined)[] = [];
  const repeated = new Set<string>();
  let text = '""';
  for (const [sign] of json.matchAll(signs)) {
    if (sign === '{') open.push(new Set());
    else if (sign === '[') open.push(undefined);
    else if (sign === '}' || sign === ']') open.pop();
    else if (sign === ':') {
      const name = JSON.parse(text) as string;
      if (open.at(-1)?.has(name)) repeated.add(name);
      open.at(-1)?.add(name);
    } else if (sign !== ',') text = sign;
  }
  return [...repeated];
}
