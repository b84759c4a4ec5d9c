import { StreamsError } from '../../core/errors.ts';
import { lastOf } from './playlists.ts';
import type { Rendition } from './rendition.ts';

/** The delivery directives of a playlist request (rfc8216bis 6.2.5). */
export type Directives = {
  readonly msn: number | undefined;
  readonly part: number | undefined;
  readonly skip: boolean;
};

/** Throws INVALID_ARGUMENT. */
export function readDirectives(query: URLSearchParams): Directives {
  const msn = whole(query, '_HLS_msn');
  const part = whole(query, '_HLS_part');
  if (part !== undefined && msn === undefined) throw invalid('_HLS_part needs _HLS_msn');
  const skip = query.get('_HLS_skip');
  if (skip !== null && skip !== 'YES' && skip !== 'v2') throw invalid('_HLS_skip is YES or v2');
  return { msn, part, skip: skip !== null };
}

/** Throws INVALID_ARGUMENT for what cannot be there soon (6.2.5.2): later than the segment after the next. */
export function checkAhead(rendition: Rendition, { msn, part }: Directives, partTarget: number): void {
  if (msn === undefined || rendition.ended) return;
  const { lastMsn, lastPart } = lastOf(rendition);
  if (msn > (rendition.segments.at(-1)?.msn ?? lastMsn) + 2)
    throw invalid(`_HLS_msn is too far ahead: ${lastMsn} is the newest`);
  const limit = partTarget < 1 ? Math.ceil(3 / partTarget) : 3;
  const from = msn === lastMsn ? (lastPart ?? -1) : -1;
  if (part !== undefined && msn >= lastMsn && part > from + limit) throw invalid('_HLS_part is too far ahead');
}

/** Whether the playlist has what was asked for: a segment, or a part of it, or something later. */
export function isReached(rendition: Rendition, { msn, part }: Directives): boolean {
  if (msn === undefined || rendition.ended) return true;
  const whole = rendition.segments.at(-1)?.msn ?? -1;
  if (msn < whole || (msn === whole && part === undefined)) return true;
  if (part === undefined) return false;
  const { open, openParts } = rendition;
  if (msn === whole) {
    // Asked for more parts than the segment got: the first of the next one stands for it.
    return part < rendition.segments.at(-1)!.parts.length || openParts.length > 0;
  }
  return open?.msn === msn && part < openParts.length;
}

function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalid(`${name} is not a whole number`);
  return Number(text);
}

function invalid(message: string): StreamsError {
  return new StreamsError('INVALID_ARGUMENT', message);
}
