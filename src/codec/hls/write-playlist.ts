import { StreamsError } from '../../core/errors.ts';
import type { MediaPlaylist, MultivariantPlaylist, SegmentHead } from './playlist.ts';

/** The text of a Media Playlist. Throws INVALID_ARGUMENT for a URI or name that would break a line or a quoted string. */
export function writeMediaPlaylist(playlist: MediaPlaylist): string {
  const { serverControl: control, partTarget } = playlist;
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${playlist.version}`, `#EXT-X-TARGETDURATION:${playlist.targetDuration}`];
  if (playlist.type !== undefined) lines.push(`#EXT-X-PLAYLIST-TYPE:${playlist.type}`);
  if (playlist.independentSegments === true) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (control !== undefined) {
    lines.push(
      attributes('#EXT-X-SERVER-CONTROL:', [
        ['CAN-BLOCK-RELOAD', control.canBlockReload ? 'YES' : undefined],
        ['CAN-SKIP-UNTIL', optional(control.canSkipUntil, decimal)],
        ['HOLD-BACK', optional(control.holdBack, decimal)],
        ['PART-HOLD-BACK', optional(control.partHoldBack, decimal)],
      ]),
    );
  }
  if (partTarget !== undefined) lines.push(`#EXT-X-PART-INF:PART-TARGET=${decimal(partTarget)}`);
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`);
  if (playlist.discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  if (playlist.skippedSegments > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${playlist.skippedSegments}`);
  for (const segment of playlist.segments) {
    head(lines, segment);
    lines.push(`#EXTINF:${decimal(segment.duration)},`, plain(segment.uri));
  }
  if (playlist.tail !== undefined) head(lines, playlist.tail);
  if (playlist.ended) lines.push('#EXT-X-ENDLIST');
  if (playlist.preloadHint !== undefined)
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(playlist.preloadHint)}`);
  for (const { uri, lastMsn, lastPart } of playlist.renditionReports) {
    lines.push(
      attributes('#EXT-X-RENDITION-REPORT:', [
        ['URI', quoted(uri)],
        ['LAST-MSN', String(lastMsn)],
        ['LAST-PART', optional(lastPart, String)],
      ]),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The text of a Multivariant Playlist. Throws as writeMediaPlaylist does. */
export function writeMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${playlist.version}`];
  for (const { group, name, isDefault, channels, uri } of playlist.audio) {
    lines.push(
      attributes('#EXT-X-MEDIA:', [
        ['TYPE', 'AUDIO'],
        ['GROUP-ID', quoted(group)],
        ['NAME', quoted(name)],
        ['DEFAULT', isDefault ? 'YES' : 'NO'],
        ['AUTOSELECT', 'YES'],
        ['CHANNELS', optional(channels, (count) => quoted(String(count)))],
        ['URI', quoted(uri)],
      ]),
    );
  }
  for (const variant of playlist.variants) {
    lines.push(
      attributes('#EXT-X-STREAM-INF:', [
        ['BANDWIDTH', String(Math.ceil(variant.bandwidth))],
        ['AVERAGE-BANDWIDTH', optional(variant.averageBandwidth, (bits) => String(Math.ceil(bits)))],
        ['CODECS', quoted(variant.codecs)],
        ['RESOLUTION', optional(variant.resolution, ({ width, height }) => `${width}x${height}`)],
        ['FRAME-RATE', optional(variant.frameRate, (rate) => rate.toFixed(3))],
        ['AUDIO', optional(variant.audioGroup, quoted)],
      ]),
      plain(variant.uri),
    );
  }
  return `${lines.join('\n')}\n`;
}

function head(lines: string[], { discontinuity, map, programDateTime, parts }: SegmentHead): void {
  if (discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (map !== undefined) lines.push(`#EXT-X-MAP:URI=${quoted(map)}`);
  if (programDateTime !== undefined) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(programDateTime).toISOString()}`);
  for (const { uri, duration, independent } of parts) {
    lines.push(
      attributes('#EXT-X-PART:', [
        ['DURATION', decimal(duration)],
        ['URI', quoted(uri)],
        ['INDEPENDENT', independent ? 'YES' : undefined],
      ]),
    );
  }
}

function attributes(tag: string, pairs: readonly [name: string, value: string | undefined][]): string {
  return tag + pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(',');
}

function optional<T>(value: T | undefined, write: (value: T) => string): string | undefined {
  return value === undefined ? undefined : write(value);
}

/** Seconds to the microsecond, without trailing zeros but always with a point. */
function decimal(seconds: number): string {
  return seconds.toFixed(6).replace(/(\.\d+?)0+$/, '$1');
}

function quoted(text: string): string {
  if (/["\r\n]/.test(text)) throw new StreamsError('INVALID_ARGUMENT', 'not a quoted string of a playlist');
  return `"${text}"`;
}

function plain(uri: string): string {
  if (uri === '' || uri.startsWith('#') || /[\r\n]/.test(uri))
    throw new StreamsError('INVALID_ARGUMENT', 'not a URI line of a playlist');
  return uri;
}
