import { StreamsError } from '../../core/errors.ts';
import { redactUrl } from '../../core/log.ts';
import { parseRelayUrl } from '../../transport/relay-url.ts';
import { internalField } from '../upstream/route.ts';

/** Below it every member says where it can be reached, as moq-relay did while it had gossip. */
export const originsPrefix: readonly string[] = [internalField, 'origins'];

/**
 * The URL of a relay as it is compared and announced: without query and a final slash, a bare `host:port` being https. Throws
 * CONFIG_INVALID.
 */
export function nodeUrl(text: string): string {
  const url = withScheme(text);
  try {
    parseRelayUrl(url);
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `not the URL of a relay: ${redactUrl(text)}`, { cause });
  }
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}

/** A bare `host` or `host:port`, moq-relay's older form, is https. */
export function withScheme(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
}

/** The namespace in which a relay says where it is. Fields without slashes, so that moq-lite can say it too. */
export function originOf(node: string): readonly string[] {
  return [...originsPrefix, ...node.split('/').filter((part) => part !== '')];
}

/** The relay that such a namespace tells of; undefined when it is none. A path splits at its slashes. */
export function nodeOf(namespace: readonly string[]): string | undefined {
  const rest = namespace.slice(originsPrefix.length).join('/');
  try {
    return rest === '' ? undefined : nodeUrl(rest.replace(/^([a-z]+):\/+/i, '$1://'));
  } catch {
    return undefined;
  }
}
