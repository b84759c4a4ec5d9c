/**
 * Which namespaces are meant, field by field: `foo` is never a prefix of `foobar`. `any` stands for one field of any content;
 * `below` includes everything that begins with the fields.
 */
export type NamespacePattern = { readonly fields: readonly (string | typeof anyField)[]; readonly below: boolean };

/** One field of any content. */
export const anyField: unique symbol = Symbol('any field');

/** Everything at and below a namespace. */
export function everythingBelow(fields: readonly string[]): NamespacePattern {
  return { fields, below: true };
}

export function matches(pattern: NamespacePattern, namespace: readonly string[]): boolean {
  const { fields, below } = pattern;
  if (below ? namespace.length < fields.length : namespace.length !== fields.length) return false;
  return fields.every((field, i) => field === anyField || field === namespace[i]);
}

/** Something at or below `namespace` matches the pattern. */
export function reaches(pattern: NamespacePattern, namespace: readonly string[]): boolean {
  const { fields, below } = pattern;
  if (!below && namespace.length > fields.length) return false;
  return fields.every((field, i) => i >= namespace.length || field === anyField || field === namespace[i]);
}

/** Everything that matches `inner` matches `outer`. */
export function covers(outer: NamespacePattern, inner: NamespacePattern): boolean {
  if (inner.fields.length < outer.fields.length || (inner.below && !outer.below)) return false;
  if (!outer.below && inner.fields.length !== outer.fields.length) return false;
  return outer.fields.every((field, i) => field === anyField || field === inner.fields[i]);
}
