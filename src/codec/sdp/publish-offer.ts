import { StreamsError } from '../../core/errors.ts';
import { attributes, isUsableCandidate, parseSdp, type Sdp, writeSdp } from './sdp.ts';

export type RtpCodec = 'h264' | 'hevc' | 'vp8' | 'vp9' | 'av1' | 'opus';

/** A track that the peer will send, with the one codec it is to use. */
export type OfferedMedia = {
  kind: 'video' | 'audio';
  codec: RtpCodec;
  payloadType: number;
  /** Of retransmissions (RFC 4588), where they are offered. */
  retransmission: number | undefined;
};

export type PublishOffer = {
  /** The offer with those codecs alone, without feedback, extensions, sources and simulcast. */
  sdp: string;
  tracks: OfferedMedia[];
};

type Format = { payloadType: number; name: string; parameters: string };

const videoCodecs = new Map<string, RtpCodec>([
  ['h264/90000', 'h264'],
  ['h265/90000', 'hevc'],
  ['vp9/90000', 'vp9'],
  ['av1/90000', 'av1'],
  ['vp8/90000', 'vp8'],
]);
const keptSessionLines = /^(?:[vostbc]=|a=group:BUNDLE |a=ice-lite$)/;
/** Said once for all sections by some senders, OBS among them; werift looks for them in each. */
const inherited = ['ice-ufrag', 'ice-pwd', 'ice-options', 'fingerprint', 'setup'];
const keptLines =
  /^(?:c=|a=(?:mid|fingerprint|setup|ice-[a-z0-9]+|rtcp-mux|rtcp-rsize|end-of-candidates|bundle-only|sendonly|sendrecv)(?::|$))/;
const maxCandidates = 32;

/**
 * Reads a WHIP offer (RFC 9725 4.2): at most one video and one audio section that send. Of the codecs H.264 is taken where it
 * is offered, because everything plays it, else the first that is carried; of audio Opus. Throws MALFORMED,
 * LIMIT_EXCEEDED, and UNSUPPORTED where nothing is left.
 */
export function readPublishOffer(text: string): PublishOffer {
  const sdp = parseSdp(text);
  const out: Sdp = { session: sdp.session.filter((line) => keptSessionLines.test(line)), media: [] };
  const tracks: OfferedMedia[] = [];
  for (const section of sdp.media) {
    const kind = /^m=(video|audio) /.exec(section[0]!)?.[1] as OfferedMedia['kind'] | undefined;
    if (kind === undefined) throw new StreamsError('UNSUPPORTED', 'the offer has other than video and audio');
    if (!section.some((line) => line === 'a=sendonly' || line === 'a=sendrecv'))
      throw new StreamsError('UNSUPPORTED', `the offer has ${kind} that is not to be sent`);
    if (tracks.some((track) => track.kind === kind))
      throw new StreamsError('UNSUPPORTED', `the offer has more than one ${kind} track`);
    const formats = readFormats(section);
    const track = kind === 'video' ? chooseVideo(formats) : chooseAudio(formats);
    tracks.push(track);
    const said = inherited.flatMap((name) =>
      attributes(section, name).length > 0 ? [] : attributes(sdp.session, name).map((value) => `a=${name}:${value}`),
    );
    out.media.push(restrict([...section, ...said], track));
  }
  if (tracks.length === 0) throw new StreamsError('UNSUPPORTED', 'the offer has neither video nor audio');
  if (!out.media.every((section) => attributes(section, 'mid').length === 1))
    throw new StreamsError('MALFORMED', 'a media section without a=mid');
  for (const needed of ['fingerprint', 'ice-ufrag', 'ice-pwd'])
    if (!out.media.every((section) => attributes(section, needed).length > 0))
      throw new StreamsError('MALFORMED', `the offer has no a=${needed}`);
  return { sdp: writeSdp(out), tracks };
}

function readFormats(section: readonly string[]): Format[] {
  const fmtp = new Map(attributes(section, 'fmtp').map((value) => value.split(/ (.*)/s, 2) as [string, string]));
  const maps = new Map(attributes(section, 'rtpmap').map((value) => value.split(' ', 2) as [string, string]));
  return section[0]!
    .split(' ')
    .slice(3)
    .flatMap((type) => {
      const name = maps.get(type)?.toLowerCase();
      const payloadType = Number(type);
      if (name === undefined || !Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) return [];
      return [{ payloadType, name, parameters: fmtp.get(type) ?? '' }];
    });
}

function chooseVideo(formats: readonly Format[]): OfferedMedia {
  const carried = formats.filter(({ name }) => videoCodecs.has(name));
  const h264 = carried.filter(({ name }) => name === 'h264/90000');
  const chosen = h264.find(({ parameters }) => parameters.includes('packetization-mode=1')) ?? h264[0] ?? carried[0];
  if (chosen === undefined)
    throw new StreamsError('UNSUPPORTED', 'none of the video codecs of the offer is carried', {
      hint: 'offer H.264, VP9, AV1, HEVC or VP8',
    });
  const rtx = formats.find(
    ({ name, parameters }) => name === 'rtx/90000' && parameters.split(';').includes(`apt=${chosen.payloadType}`),
  );
  const codec = videoCodecs.get(chosen.name)!;
  return { kind: 'video', codec, payloadType: chosen.payloadType, retransmission: rtx?.payloadType };
}

function chooseAudio(formats: readonly Format[]): OfferedMedia {
  const opus = formats.find(({ name }) => name === 'opus/48000/2');
  if (opus === undefined)
    throw new StreamsError('UNSUPPORTED', 'none of the audio codecs of the offer is carried', { hint: 'offer Opus' });
  return { kind: 'audio', codec: 'opus', payloadType: opus.payloadType, retransmission: undefined };
}

function restrict(section: readonly string[], track: OfferedMedia): string[] {
  const types = [track.payloadType, track.retransmission].filter((type) => type !== undefined);
  const [media, port, protocol] = section[0]!.split(' ');
  const lines = [`${media} ${port} ${protocol} ${types.join(' ')}`];
  let candidates = 0;
  for (const line of section.slice(1)) {
    const [, type] = /^a=(?:rtpmap|fmtp):(\d+) /.exec(line) ?? [];
    if (keptLines.test(line) || (type !== undefined && types.includes(Number(type)))) lines.push(line);
    else if (line.startsWith('a=candidate:') && isUsableCandidate(line) && candidates++ < maxCandidates)
      lines.push(line);
  }
  return lines;
}
