/** The reason of a refused session or request, for people. Relays mark it with `auth_failed: ` on the wire; its code says the same. */
export function refusalWords(reason: string): string {
  return reason.replace(/^auth_failed:?\s*/, '');
}
