import { StreamsError } from '../../core/errors.ts';

/** A session description (RFC 8866) as lines without their ends: those before the first `m=`, and each media section. */
export type Sdp = { session: string[]; media: string[][] };

const maxLines = 4000;
const maxLineLength = 4096;
const maxMedia = 16;

/** Throws MALFORMED, LIMIT_EXCEEDED. */
export function parseSdp(text: string): Sdp {
  const lines = text.split('\n', maxLines + 1);
  if (lines.length > maxLines) throw new StreamsError('LIMIT_EXCEEDED', `an SDP of more than ${maxLines} lines`);
  const sdp: Sdp = { session: [], media: [] };
  for (const raw of lines) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') continue;
    if (line.length > maxLineLength || !/^[a-z]=/.test(line)) throw new StreamsError('MALFORMED', 'not an SDP');
    if (line.startsWith('m=')) {
      if (sdp.media.length === maxMedia)
        throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxMedia} media sections`);
      sdp.media.push([]);
    }
    (sdp.media.at(-1) ?? sdp.session).push(line);
  }
  if (sdp.session[0] !== 'v=0') throw new StreamsError('MALFORMED', 'not an SDP');
  return sdp;
}

/** With CRLF after each line. */
export function writeSdp({ session, media }: Sdp): string {
  return [...session, ...media.flat()].map((line) => `${line}\r\n`).join('');
}

/** Values of `a=<name>:…` lines. */
export function attributes(section: readonly string[], name: string): string[] {
  const prefix = `a=${name}:`;
  return section.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

/** `UDP` host candidates of an address literal in an `a=candidate:` value or line; others need a resolver, or TCP. */
export function isUsableCandidate(candidate: string): boolean {
  const [, , transport = '', , address = '', port = ''] = candidate.split(' ');
  return /^udp$/i.test(transport) && /^[0-9a-f:.]+$/i.test(address) && /^\d{1,5}$/.test(port);
}
