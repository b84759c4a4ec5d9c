import { StreamsError } from '../../core/errors.ts';

/** An `application/trickle-ice-sdpfrag` body (RFC 8840 9), read as far as we need it. */
export type TrickleFragment = {
  /** Of the ICE session that it is about, where it says so. */
  usernameFragment: string | undefined;
  /** `candidate:…`, each with the media section it is for. */
  candidates: { mid: string; candidate: string }[];
};

const maxLines = 500;

/** Throws MALFORMED, LIMIT_EXCEEDED. */
export function parseTrickleFragment(text: string): TrickleFragment {
  const lines = text.split(/\r?\n/, maxLines + 1);
  if (lines.length > maxLines) throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxLines} lines of candidates`);
  const fragment: TrickleFragment = { usernameFragment: undefined, candidates: [] };
  let mid = '';
  for (const line of lines) {
    if (line !== '' && !/^[a-z]=/.test(line)) throw new StreamsError('MALFORMED', 'not an SDP fragment');
    if (line.startsWith('a=mid:')) mid = line.slice(6);
    else if (line.startsWith('a=ice-ufrag:')) fragment.usernameFragment ??= line.slice(12);
    else if (line.startsWith('a=candidate:')) fragment.candidates.push({ mid, candidate: line.slice(2) });
  }
  return fragment;
}
