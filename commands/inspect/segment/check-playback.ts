import type { Sps } from '../../../src/codec/h264/sps.ts';
import { brandsOf } from './box-details.ts';
import { type BoxNode, childOf, payloadOf } from './box-tree.ts';
import type { FragmentInfo } from './fragments.ts';
import type { Track } from './tracks.ts';

/** ISO 23000-19 and RFC 8216 3.3: brands that promise default-base-is-moof and tfdt. */
const fragmentBrands = /^(iso[5-9a-z]|cmf[a-z0-9]|dash|msdh)$/;

/** What Media Source Extensions (its ISO BMFF byte stream format, section 4) or HLS players would refuse or stumble over. */
export function playbackWarnings(
  file: Uint8Array,
  boxes: readonly BoxNode[],
  tracks: readonly Track[],
  fragments: readonly FragmentInfo[],
): string[] {
  return [
    ...fileWarnings(file, boxes, tracks, fragments),
    ...tracks.flatMap(trackWarnings),
    ...fragmentWarnings(tracks, fragments),
  ];
}

function fileWarnings(
  file: Uint8Array,
  boxes: readonly BoxNode[],
  tracks: readonly Track[],
  fragments: readonly FragmentInfo[],
): string[] {
  const warnings: string[] = [];
  const moovs = boxes.filter(({ type }) => type === 'moov');
  const fragmented = moovs.some((moov) => childOf(moov, 'mvex') !== undefined);
  if (moovs.length > 0 && !fragmented)
    warnings.push('MSE, HLS: the moov has no mvex, so this is no init segment (an MP4 that is not fragmented)');
  if (moovs.length === 0 && fragments.length > 0 && tracks.length === 0)
    warnings.push('no init segment here: give it with --init, or durations and codecs stay unknown');
  const ftyp = boxes.find(({ type }) => type === 'ftyp');
  if (moovs.length > 0 && ftyp === undefined) warnings.push('HLS: the init segment has no ftyp');
  if (ftyp !== undefined && fragmented && !brandsOf(payloadOf(file, ftyp)).some((brand) => fragmentBrands.test(brand)))
    warnings.push('HLS: no brand of the ftyp allows fragments (iso5, iso6 or cmfc is expected)');
  const videos = tracks.filter(({ kind }) => kind === 'video').length;
  if (videos > 1) warnings.push(`MSE, HLS: ${videos} video tracks in one file`);
  return warnings;
}

function trackWarnings(track: Track): string[] {
  const name = `track ${track.trackId}`;
  const warnings: string[] = [];
  if (track.entry === 'encv' || track.entry === 'enca') warnings.push(`${name}: encrypted; the codec is hidden`);
  else if (track.kind === 'other') warnings.push(`MSE: ${name} (${track.codec}) is neither video nor audio`);
  if (track.entry === 'hev1') warnings.push(`HLS: ${name} is hev1, Apple's players want hvc1`);
  if (track.entry === 'avc3') warnings.push(`HLS: ${name} is avc3, Apple's players want avc1`);
  if (track.sps !== undefined) warnings.push(...h264Warnings(name, track.sps));
  return warnings;
}

function h264Warnings(name: string, { chromaFormat, bitDepthLuma }: Sps): string[] {
  const warnings: string[] = [];
  if (chromaFormat !== 1) warnings.push(`MSE, HLS: ${name} is not 4:2:0 video; browsers do not decode it`);
  if (bitDepthLuma !== 8) warnings.push(`MSE, HLS: ${name} has ${bitDepthLuma} bits a sample; browsers decode 8`);
  return warnings;
}

function fragmentWarnings(tracks: readonly Track[], fragments: readonly FragmentInfo[]): string[] {
  const found = new Map<string, number>();
  const say = (text: string) => found.set(text, (found.get(text) ?? 0) + 1);
  const ends = new Map<number, number>();
  let sequence = -1;
  for (const fragment of fragments) {
    if (fragment.sequence !== undefined && fragment.sequence < sequence) say('the sequence number of a moof goes back');
    sequence = fragment.sequence ?? sequence;
    if (fragment.runs.length === 0) say('MSE: a moof without traf');
    for (const { trackId, samples, decodeTime, baseDataOffset, defaultBaseIsMoof } of fragment.runs) {
      const track = tracks.find((candidate) => candidate.trackId === trackId);
      const name = `track ${trackId}`;
      if (tracks.length > 0 && track === undefined) say(`MSE: ${name} is not in the init segment`);
      if (decodeTime === undefined) say(`MSE: ${name} has a fragment without tfdt`);
      if (baseDataOffset) say(`MSE: ${name} has absolute offsets (base-data-offset)`);
      else if (!defaultBaseIsMoof && fragment.runs.length > 1) say('MSE: several traf without default-base-is-moof');
      if (samples.length === 0) say(`${name} has a fragment without samples`);
      if (samples.some(({ duration }) => duration === 0)) say(`${name} has samples of no duration`);
      if (track?.kind === 'video' && samples[0]?.keyframe === false)
        say(`MSE, HLS: ${name} has fragments that do not begin with a keyframe`);
      if (decodeTime === undefined) continue;
      const end = ends.get(trackId);
      if (end !== undefined && decodeTime < end)
        say(`MSE: ${name} overlaps: a fragment begins before the one before it ends`);
      if (end !== undefined && decodeTime > end) say(`MSE: ${name} has a hole between two fragments`);
      ends.set(trackId, decodeTime + samples.reduce((sum, { duration }) => sum + duration, 0));
    }
  }
  return [...found].map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`));
}
