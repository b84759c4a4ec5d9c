import { StreamsError } from '../../../core/errors.ts';
import { isId } from '../../../core/ids.ts';

const hint = 'streamid=<input id>, and the passphrase of the input';

/**
 * Input and key out of a stream id: `lv_…:sk_…`, `lv_…?sk=sk_…`, or the standard form `#!::r=lv_…,s=sk_…,m=publish`
 * (libsrt, docs/features/access-control.md) with the key as `s` or `u`. Without a key (`lv_…`, `#!::r=lv_…`) the passphrase
 * has to open it. Throws INVALID_ARGUMENT, UNSUPPORTED for another mode than publish; repeats neither.
 */
export function publishTarget(streamId: string): { inputId: string; streamKey: string | undefined } {
  const { id, key } = streamId.startsWith('#!') ? standardForm(streamId) : shortForm(streamId);
  const inputId = id.replace(/^\/+/, '');
  if (!isId('lv', inputId))
    throw new StreamsError('INVALID_ARGUMENT', 'the SRT stream id does not begin with an input id', { hint });
  return { inputId, streamKey: key === '' ? undefined : key };
}

function shortForm(text: string): { id: string; key: string | undefined } {
  const query = text.indexOf('?');
  if (query !== -1)
    return { id: text.slice(0, query), key: new URLSearchParams(text.slice(query + 1)).get('sk') ?? undefined };
  const colon = text.indexOf(':');
  if (colon !== -1) return { id: text.slice(0, colon), key: text.slice(colon + 1) };
  return { id: text, key: undefined };
}

function standardForm(text: string): { id: string; key: string | undefined } {
  if (!text.startsWith('#!::'))
    throw new StreamsError('INVALID_ARGUMENT', 'an SRT stream id of an unknown form', { hint });
  const fields = new Map<string, string>();
  for (const pair of text.slice(4).split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) fields.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  // Without a mode it is a request by the letter of the form, but encoders leave it out.
  const mode = fields.get('m') ?? 'publish';
  if (mode !== 'publish')
    throw new StreamsError('UNSUPPORTED', 'SRT playback is not offered here: it only takes media in');
  if ((fields.get('t') ?? 'stream') !== 'stream') throw new StreamsError('UNSUPPORTED', 'SRT file transfer');
  return { id: fields.get('r') ?? '', key: fields.get('s') ?? fields.get('u') };
}
