import type { MediaPlaylist, PlaylistPart, PlaylistSegment } from './playlist.ts';

/** Written durations are rounded to the microsecond. */
const epsilon = 0.000_01;

/**
 * What a live Low-Latency playlist does against the rules of draft-pantos-hls-rfc8216bis, in words; empty when nothing. Reading
 * it (parse-playlist.ts) has checked its form; this checks what its values say.
 */
export function mediaPlaylistProblems(playlist: MediaPlaylist): string[] {
  const problems: string[] = [];
  const { partTarget, serverControl: control, targetDuration } = playlist;
  const need = (ok: boolean, problem: string) => {
    if (!ok) problems.push(problem);
  };
  for (const { uri, duration } of playlist.segments)
    need(Math.round(duration) <= targetDuration, `4.4.3.1: segment ${name(uri)} lasts ${duration} s`);
  need(playlist.skippedSegments === 0 || playlist.version >= 9, '8: EXT-X-SKIP needs version 9');
  need(
    playlist.version >= 6 || playlist.segments.every(({ map }) => map === undefined),
    '8: EXT-X-MAP needs version 6',
  );
  const first = playlist.segments[0] ?? playlist.tail;
  need(playlist.skippedSegments > 0 || first?.map !== undefined, '4.4.4.5: fMP4 without EXT-X-MAP');
  if (playlist.independentSegments === true)
    for (const { uri, parts } of playlist.segments)
      need(parts[0]?.independent !== false, `4.4.2.1: segment ${name(uri)} does not begin with an independent part`);
  const dated = playlist.segments.some(({ programDateTime }) => programDateTime !== undefined);
  for (const segment of playlist.segments)
    need(
      !dated || !segment.discontinuity || segment.programDateTime !== undefined,
      '6.2.1: a discontinuity without a new EXT-X-PROGRAM-DATE-TIME',
    );
  if (partTarget === undefined) {
    const parts = playlist.segments.some((segment) => segment.parts.length > 0) || playlist.tail !== undefined;
    need(!parts, '4.4.3.7: parts without EXT-X-PART-INF');
    return problems;
  }
  need(control?.canBlockReload === true, 'B.1: no blocking reload');
  need((control?.partHoldBack ?? 0) >= 3 * partTarget - epsilon, '4.4.3.8: PART-HOLD-BACK under 3 part targets');
  const holdBack = control?.holdBack ?? 3 * targetDuration;
  need(holdBack >= 3 * targetDuration - epsilon, '4.4.3.8: HOLD-BACK under 3 target durations');
  const skipUntil = control?.canSkipUntil;
  need(skipUntil === undefined || skipUntil >= 6 * targetDuration, '4.4.3.8: CAN-SKIP-UNTIL under 6 target durations');
  need(playlist.ended === (playlist.preloadHint === undefined), '4.4.5.3: a preload hint while live, none at the end');
  for (const segment of playlist.segments) problems.push(...partProblems(segment.parts, partTarget, segment));
  problems.push(...partProblems(playlist.tail?.parts ?? [], partTarget, undefined));
  return problems;
}

/** Both playlists are of one rendition and whole (`merge` a delta update first), `after` the newer one. */
export function updateProblems(before: MediaPlaylist, after: MediaPlaylist): string[] {
  const problems: string[] = [];
  const need = (ok: boolean, problem: string) => {
    if (!ok) problems.push(problem);
  };
  need(before.targetDuration === after.targetDuration, '4.4.3.1: the target duration changed');
  need(before.partTarget === after.partTarget, '4.4.3.7: the part target changed');
  need(!before.ended || after.ended, '6.2.1: an ended playlist went on');
  const moved = after.mediaSequence - before.mediaSequence;
  need(moved >= 0, '6.2.2: the media sequence number went back');
  const gone = before.segments.slice(0, Math.max(0, moved));
  need(moved <= before.segments.length, '6.2.2: more segments were removed than there were');
  const discontinuities = gone.filter(({ discontinuity }) => discontinuity).length;
  need(
    after.discontinuitySequence === before.discontinuitySequence + discontinuities,
    `6.2.2: the discontinuity sequence went from ${before.discontinuitySequence} to ${after.discontinuitySequence}`,
  );
  for (const [i, old] of before.segments.slice(Math.max(0, moved)).entries()) {
    const now = after.segments[i];
    need(
      now !== undefined && now.uri === old.uri && now.duration === old.duration,
      `6.2.1: segment ${name(old.uri)} changed`,
    );
    if (now !== undefined && now.parts.length > 0)
      need(sameParts(old.parts, now.parts), `6.2.1: the parts of segment ${name(old.uri)} changed`);
  }
  const open = after.segments[before.segments.length - moved] ?? after.tail;
  if (before.tail !== undefined && open !== undefined && (open.parts.length > 0 || open === after.tail))
    need(startsWith(open.parts, before.tail.parts), '6.2.1: parts that were listed changed');
  return problems;
}

/** A delta update filled up from the playlist it was asked for on top of; undefined when that one is too old for it. */
export function merge(before: MediaPlaylist, delta: MediaPlaylist): MediaPlaylist | undefined {
  if (delta.skippedSegments === 0) return delta;
  const from = delta.mediaSequence - before.mediaSequence;
  const skipped = before.segments.slice(from, from + delta.skippedSegments);
  if (from < 0 || skipped.length < delta.skippedSegments) return undefined;
  return { ...delta, skippedSegments: 0, segments: [...skipped, ...delta.segments] };
}

function partProblems(
  parts: readonly PlaylistPart[],
  partTarget: number,
  segment: PlaylistSegment | undefined,
): string[] {
  const problems: string[] = [];
  for (const [i, { uri, duration, independent }] of parts.entries()) {
    const last = segment !== undefined && i === parts.length - 1;
    if (duration > partTarget + epsilon) problems.push(`4.4.4.9: part ${name(uri)} lasts ${duration} s`);
    if (duration < 0.85 * partTarget - epsilon && !independent && !last)
      problems.push(`4.4.4.9: part ${name(uri)} lasts only ${duration} s`);
  }
  if (segment !== undefined && parts.length > 0) {
    const sum = parts.reduce((total, { duration }) => total + duration, 0);
    if (Math.abs(sum - segment.duration) > 0.001 * parts.length)
      problems.push(`4.4.4.9: the parts of ${name(segment.uri)} last ${sum} s of ${segment.duration} s`);
  }
  return problems;
}

function sameParts(a: readonly PlaylistPart[], b: readonly PlaylistPart[]): boolean {
  return a.length === 0 || (a.length === b.length && startsWith(b, a));
}

function startsWith(all: readonly PlaylistPart[], beginning: readonly PlaylistPart[]): boolean {
  return beginning.every(({ uri, duration, independent }, i) => {
    const now = all[i];
    return now !== undefined && now.uri === uri && now.duration === duration && now.independent === independent;
  });
}

/** URIs carry tokens. */
function name(uri: string): string {
  return uri.replace(/\?.*$/s, '');
}
