/** Fields are plain values; never a key, a token or a URL with its query (see redactUrl). */
export type LogFields = Record<string, string | number | boolean | undefined>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A URL or path as it may be logged: without query and fragment, where keys and tokens live. */
export function redactUrl(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
