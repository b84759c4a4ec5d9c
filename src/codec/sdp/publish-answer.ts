import type { OfferedMedia } from './publish-offer.ts';
import { parseSdp, writeSdp } from './sdp.ts';

export type AnswerOptions = {
  tracks: readonly OfferedMedia[];
  /** kbit/s at which a browser begins to send, instead of probing its way up. */
  startBitrate: number;
  /** Addresses under which others reach us, in place of the ones we have. */
  announced?: readonly string[];
};

/**
 * Puts into the answer what the sender is to do: retransmit and send keyframes when asked (RFC 4585), begin at a good rate,
 * send stereo. Without an extension for transport-wide feedback the sender goes by our receiver reports.
 */
export function completePublishAnswer(text: string, { tracks, startBitrate, announced }: AnswerOptions): string {
  const sdp = parseSdp(text);
  for (const [index, section] of sdp.media.entries()) {
    const track = tracks[index];
    if (track === undefined) continue;
    const { payloadType } = track;
    const fmtp = section.findIndex((line) => line.startsWith(`a=fmtp:${payloadType} `));
    const more = track.kind === 'video' ? `x-google-start-bitrate=${startBitrate}` : 'stereo=1';
    if (fmtp === -1) section.push(`a=fmtp:${payloadType} ${more}`);
    else if (!section[fmtp]!.split(/[ ;]/).includes(more)) section[fmtp] += `;${more}`;
    if (track.kind === 'video') section.push(`a=rtcp-fb:${payloadType} nack`, `a=rtcp-fb:${payloadType} nack pli`);
    if (announced !== undefined) announce(section, announced);
  }
  return writeSdp(sdp);
}

/** In place of all candidates: under each announced address the first of its family, at its own port. */
function announce(section: string[], addresses: readonly string[]): void {
  const first = section.findIndex((line) => line.startsWith('a=candidate:'));
  const ours = section.filter((line) => line.startsWith('a=candidate:')).map((line) => line.split(' '));
  const made = addresses.flatMap((address, index) => {
    const like = ours.find((parts) => parts[4]!.includes(':') === address.includes(':'));
    return like === undefined
      ? []
      : [[`a=candidate:${index + 1}`, ...like.slice(1, 4), address, ...like.slice(5)].join(' ')];
  });
  const rest = section.filter((line) => !line.startsWith('a=candidate:'));
  section.splice(0, section.length, ...rest.slice(0, first), ...made, ...rest.slice(first));
}
