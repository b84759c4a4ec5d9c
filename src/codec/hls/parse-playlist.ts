import { StreamsError } from '../../core/errors.ts';
import { Attributes } from './attributes.ts';
import type {
  AudioRendition,
  MediaPlaylist,
  MultivariantPlaylist,
  PlaylistPart,
  PlaylistSegment,
  RenditionReport,
  SegmentHead,
  ServerControl,
  Variant,
} from './playlist.ts';

const maxTextLength = 8 << 20;
const maxLines = 200_000;

/** A tag or a URI line. `value` is what follows the first colon. */
type Line = { tag: string; value: string } | { uri: string };

/**
 * Reads a Media Playlist strictly: an unknown tag, one that comes twice or in the wrong place, a value of another form than
 * the specification's is MALFORMED. Bounded to 8 MiB (LIMIT_EXCEEDED). Source: draft-pantos-hls-rfc8216bis section 4.
 */
export function parseMediaPlaylist(text: string): MediaPlaylist {
  const once = new Map<string, string>();
  const segments: PlaylistSegment[] = [];
  const reports: RenditionReport[] = [];
  let head = emptyHead();
  let duration: number | undefined;
  let preloadHint: string | undefined;
  for (const line of readLines(text)) {
    if ('uri' in line) {
      if (duration === undefined) throw malformed('a segment without EXTINF');
      segments.push({ ...head, uri: line.uri, duration });
      head = emptyHead();
      duration = undefined;
      continue;
    }
    const { tag, value } = line;
    switch (tag) {
      case 'EXTINF':
        if (duration !== undefined) throw malformed('two EXTINF of one segment');
        duration = number(tag, /^(\d+(?:\.\d+)?),.*$/.exec(value)?.[1]);
        break;
      case 'EXT-X-DISCONTINUITY':
        if (head.discontinuity || head.parts.length > 0) throw malformed(`${tag} in the wrong place`);
        head.discontinuity = true;
        break;
      case 'EXT-X-MAP':
        if (head.map !== undefined || head.parts.length > 0) throw malformed(`${tag} in the wrong place`);
        head.map = new Attributes(tag, value).needString('URI');
        break;
      case 'EXT-X-PROGRAM-DATE-TIME':
        if (head.programDateTime !== undefined) throw malformed(`${tag} twice`);
        head.programDateTime = date(value);
        break;
      case 'EXT-X-PART':
        if (duration !== undefined) throw malformed(`${tag} behind the EXTINF of its segment`);
        head.parts.push(parsePart(new Attributes(tag, value)));
        break;
      case 'EXT-X-PRELOAD-HINT': {
        const attributes = new Attributes(tag, value);
        if (attributes.word('TYPE') !== 'PART' || preloadHint !== undefined)
          throw malformed(`${tag} is not one of a part`);
        preloadHint = attributes.needString('URI');
        break;
      }
      case 'EXT-X-RENDITION-REPORT': {
        const attributes = new Attributes(tag, value);
        reports.push({
          uri: attributes.needString('URI'),
          lastMsn: attributes.needInteger('LAST-MSN'),
          lastPart: attributes.integer('LAST-PART'),
        });
        break;
      }
      default:
        if (!mediaTagsOnce.has(tag)) throw malformed(`the tag ${tag.slice(0, 40)} is unknown here`);
        if (once.has(tag)) throw malformed(`${tag} twice`);
        if (playlistHead.has(tag) && (segments.length > 0 || head.parts.length > 0))
          throw malformed(`${tag} behind the first segment`);
        once.set(tag, value);
    }
  }
  if (duration !== undefined) throw malformed('an EXTINF without its segment');
  const partInf = once.get('EXT-X-PART-INF');
  const skip = once.get('EXT-X-SKIP');
  return {
    version: integer('EXT-X-VERSION', once.get('EXT-X-VERSION')),
    targetDuration: integer('EXT-X-TARGETDURATION', once.get('EXT-X-TARGETDURATION')),
    ...(once.get('EXT-X-PLAYLIST-TYPE') === 'VOD' && { type: 'VOD' as const }),
    mediaSequence: integer('EXT-X-MEDIA-SEQUENCE', once.get('EXT-X-MEDIA-SEQUENCE') ?? '0'),
    discontinuitySequence: integer('EXT-X-DISCONTINUITY-SEQUENCE', once.get('EXT-X-DISCONTINUITY-SEQUENCE') ?? '0'),
    partTarget:
      partInf === undefined ? undefined : new Attributes('EXT-X-PART-INF', partInf).needDecimal('PART-TARGET'),
    serverControl: parseControl(once.get('EXT-X-SERVER-CONTROL')),
    skippedSegments: skip === undefined ? 0 : new Attributes('EXT-X-SKIP', skip).needInteger('SKIPPED-SEGMENTS'),
    segments,
    tail:
      head.parts.length > 0 || head.discontinuity || head.map !== undefined || head.programDateTime !== undefined
        ? head
        : undefined,
    preloadHint,
    renditionReports: reports,
    ended: once.has('EXT-X-ENDLIST'),
    ...(once.has('EXT-X-INDEPENDENT-SEGMENTS') && { independentSegments: true }),
  };
}

/** Reads a Multivariant Playlist as strictly: audio renditions and variants. */
export function parseMultivariantPlaylist(text: string): MultivariantPlaylist {
  const audio: AudioRendition[] = [];
  const variants: Variant[] = [];
  let version: string | undefined;
  let next: Omit<Variant, 'uri'> | undefined;
  for (const line of readLines(text)) {
    if ('uri' in line) {
      if (next === undefined) throw malformed('a URI without EXT-X-STREAM-INF');
      variants.push({ ...next, uri: line.uri });
      next = undefined;
      continue;
    }
    const { tag, value } = line;
    if (next !== undefined) throw malformed('EXT-X-STREAM-INF without its URI');
    if (tag === 'EXT-X-VERSION' && version === undefined) version = value;
    else if (tag === 'EXT-X-MEDIA') audio.push(parseAudio(new Attributes(tag, value)));
    else if (tag === 'EXT-X-STREAM-INF') next = parseVariant(new Attributes(tag, value));
    else if (tag !== 'EXT-X-INDEPENDENT-SEGMENTS') throw malformed(`the tag ${tag.slice(0, 40)} is unknown here`);
  }
  if (next !== undefined) throw malformed('EXT-X-STREAM-INF without its URI');
  for (const { audioGroup } of variants)
    if (audioGroup !== undefined && !audio.some(({ group }) => group === audioGroup))
      throw malformed('a variant with an AUDIO group that is not there');
  return { version: integer('EXT-X-VERSION', version), audio, variants };
}

const playlistHead = new Set([
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-PART-INF',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-SKIP',
  'EXT-X-INDEPENDENT-SEGMENTS',
]);
const mediaTagsOnce = new Set([...playlistHead, 'EXT-X-ENDLIST']);

type OpenHead = { -readonly [Key in keyof SegmentHead]: SegmentHead[Key] } & { parts: PlaylistPart[] };

function emptyHead(): OpenHead {
  return { discontinuity: false, map: undefined, programDateTime: undefined, parts: [] };
}

function readLines(text: string): Line[] {
  if (text.length > maxTextLength) throw new StreamsError('LIMIT_EXCEEDED', `a playlist of ${text.length} characters`);
  const lines = text.split(/\r?\n/, maxLines);
  if (lines[0] !== '#EXTM3U') throw malformed('does not begin with #EXTM3U');
  return lines.slice(1).flatMap((line): Line[] => {
    if (line === '' || (line.startsWith('#') && !line.startsWith('#EXT'))) return [];
    if (!line.startsWith('#')) return [{ uri: line }];
    const colon = line.indexOf(':');
    return [
      colon < 0 ? { tag: line.slice(1), value: '' } : { tag: line.slice(1, colon), value: line.slice(colon + 1) },
    ];
  });
}

function parseControl(text: string | undefined): ServerControl | undefined {
  if (text === undefined) return undefined;
  const attributes = new Attributes('EXT-X-SERVER-CONTROL', text);
  return {
    canBlockReload: attributes.flag('CAN-BLOCK-RELOAD'),
    canSkipUntil: attributes.decimal('CAN-SKIP-UNTIL'),
    holdBack: attributes.decimal('HOLD-BACK'),
    partHoldBack: attributes.decimal('PART-HOLD-BACK'),
  };
}

function parsePart(attributes: Attributes): PlaylistPart {
  return {
    uri: attributes.needString('URI'),
    duration: attributes.needDecimal('DURATION'),
    independent: attributes.flag('INDEPENDENT'),
  };
}

function parseAudio(attributes: Attributes): AudioRendition {
  if (attributes.word('TYPE') !== 'AUDIO') throw malformed('EXT-X-MEDIA is not of audio');
  const channels = attributes.string('CHANNELS');
  return {
    group: attributes.needString('GROUP-ID'),
    name: attributes.needString('NAME'),
    isDefault: attributes.flag('DEFAULT'),
    channels: channels === undefined ? undefined : integer('CHANNELS', channels),
    uri: attributes.needString('URI'),
  };
}

function parseVariant(attributes: Attributes): Omit<Variant, 'uri'> {
  const resolution = attributes.word('RESOLUTION');
  const size = resolution === undefined ? undefined : /^(\d{1,5})x(\d{1,5})$/.exec(resolution);
  if (size === null) throw malformed('a RESOLUTION of the wrong form');
  return {
    bandwidth: attributes.needInteger('BANDWIDTH'),
    averageBandwidth: attributes.integer('AVERAGE-BANDWIDTH'),
    codecs: attributes.needString('CODECS'),
    resolution: size === undefined ? undefined : { width: Number(size[1]), height: Number(size[2]) },
    frameRate: attributes.decimal('FRAME-RATE'),
    audioGroup: attributes.string('AUDIO'),
  };
}

function date(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw malformed('EXT-X-PROGRAM-DATE-TIME is no date');
  return ms;
}

function integer(tag: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,16}$/.test(text)) throw malformed(`${tag} is missing or no whole number`);
  return Number(text);
}

function number(tag: string, text: string | undefined): number {
  if (text === undefined) throw malformed(`${tag} is no duration`);
  return Number(text);
}

function malformed(what: string): StreamsError {
  return new StreamsError('MALFORMED', `playlist: ${what}`);
}
