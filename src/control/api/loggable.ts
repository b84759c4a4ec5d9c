import { redactUrl } from '../../core/log.ts';

const maxLength = 256;

/** Text of a client as it may be logged: no query, nothing that looks like a key or a JWT, not endless. */
export function loggable(text: string): string {
  return redactUrl(text)
    .replace(/\b(sk|ak)_live_\w+/g, '$1_live_…')
    .replace(/\bey[\w-]{8,}\.[\w-]*\.?[\w-]*/g, 'jwt…')
    .slice(0, maxLength);
}
