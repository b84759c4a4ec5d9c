/** The few forms of RFC 9651 that upload headers use. */

/** A Boolean (3.3.6): `?1` or `?0`; undefined for anything else. */
export function readBoolean(text: string | undefined): boolean | undefined {
  const value = text?.trim();
  return value === '?1' ? true : value === '?0' ? false : undefined;
}

export function writeBoolean(value: boolean): string {
  return value ? '?1' : '?0';
}

/** A non-negative Integer (3.3.1) of at most 15 digits; undefined for anything else. */
export function readInteger(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
