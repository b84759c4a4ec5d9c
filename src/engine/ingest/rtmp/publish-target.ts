import { StreamsError } from '../../../core/errors.ts';
import { isId } from '../../../core/ids.ts';

const hint = 'publish to rtmp://HOST/live/<input id>?sk=<stream key>';

/**
 * Input and key out of what an encoder sends: stream name `lv_…?sk=…` (also percent-encoded), with the key in the app's or
 * tcUrl's query when the name has none. Throws INVALID_ARGUMENT, UNAUTHORIZED without a key; repeats neither.
 */
export function publishTarget(app: string, tcUrl: string, name: string): { inputId: string; streamKey: string } {
  const [path] = split(app);
  if (path.replace(/^\/+|\/+$/g, '') !== 'live')
    throw new StreamsError('INVALID_ARGUMENT', 'the RTMP application is not "live"', { hint });
  const [id, query] = split(name.includes('?') ? name : percentDecoded(name));
  const inputId = id.replace(/^\/+|\/+$/g, '');
  if (!isId('lv', inputId))
    throw new StreamsError('INVALID_ARGUMENT', 'the RTMP stream name is not an input id', { hint });
  for (const candidate of [query, split(app)[1], split(tcUrl)[1]]) {
    const streamKey = new URLSearchParams(candidate).get('sk');
    if (streamKey) return { inputId, streamKey };
  }
  throw new StreamsError('UNAUTHORIZED', 'no stream key', { hint });
}

function split(text: string): [string, string] {
  const at = text.indexOf('?');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
