import { describe, expect, it } from 'vitest';
import { completePublishAnswer } from '../../../src/codec/sdp/publish-answer.ts';
import { readPublishOffer } from '../../../src/codec/sdp/publish-offer.ts';
import { parseTrickleFragment } from '../../../src/codec/sdp/trickle-fragment.ts';
import { chromiumOffer, obsOffer, without } from './offers.ts';

const code = (code: string) => expect.objectContaining({ code });

describe('a WHIP offer', () => {
  it('is cut down to one codec a track, H.264 with packetization mode 1 before others, and Opus', () => {
    const { sdp, tracks } = readPublishOffer(chromiumOffer);
    expect(tracks).toEqual([
      { kind: 'audio', codec: 'opus', payloadType: 111, retransmission: undefined },
      { kind: 'video', codec: 'h264', payloadType: 104, retransmission: 105 },
    ]);
    expect(sdp.match(/^m=.*$/gm)!.map((line) => line.trim())).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'm=video 9 UDP/TLS/RTP/SAVPF 104 105',
    ]);
    expect(sdp).not.toMatch(/transport-cc|extmap|ssrc|simulcast|rid:|VP8|PCMU|rtcp-fb|msid/);
    expect(sdp.match(/^a=candidate:.*$/gm)).toHaveLength(1);
    expect(sdp.match(/a=fingerprint:sha-256/g)).toHaveLength(2);
  });

  it('of OBS says everything in each section', () => {
    const { sdp, tracks } = readPublishOffer(obsOffer);
    expect(tracks.map(({ codec }) => codec)).toEqual(['opus', 'h264']);
    for (const name of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'])
      expect(sdp.match(new RegExp(`^a=${name}:`, 'gm'))).toHaveLength(2);
    expect(sdp.indexOf('a=fingerprint')).toBeGreaterThan(sdp.indexOf('m=audio'));
    expect(sdp).not.toContain('a=group:LS');
  });

  it.each([
    [/^H264/, 'vp8', 96, 97],
    [/^(H264|VP8)/, 'vp9', 98, 99],
  ])('without %s falls to %s', (gone, codec, payloadType, retransmission) => {
    const { tracks } = readPublishOffer(without(chromiumOffer, gone));
    expect(tracks[1]).toEqual({ kind: 'video', codec, payloadType, retransmission });
  });

  it.each([
    ['of no codec that is carried', without(chromiumOffer, /^(H264|VP8|VP9)/), 'UNSUPPORTED'],
    ['of audio that is not Opus', without(chromiumOffer, /^opus/), 'UNSUPPORTED'],
    ['that receives', chromiumOffer.replaceAll('a=sendonly', 'a=recvonly'), 'UNSUPPORTED'],
    ['of two video tracks', chromiumOffer + chromiumOffer.slice(chromiumOffer.indexOf('m=video')), 'UNSUPPORTED'],
    ['with a data channel', `${chromiumOffer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`, 'UNSUPPORTED'],
    ['without media', chromiumOffer.slice(0, chromiumOffer.indexOf('m=audio')), 'UNSUPPORTED'],
    ['without a fingerprint', chromiumOffer.replaceAll(/a=fingerprint.*\r\n/g, ''), 'MALFORMED'],
    ['without mid', chromiumOffer.replaceAll(/a=mid.*\r\n/g, ''), 'MALFORMED'],
    ['that is none', 'hello', 'MALFORMED'],
    ['that is empty', '', 'MALFORMED'],
    ['of very many lines', `v=0\r\n${'a=x\r\n'.repeat(5000)}`, 'LIMIT_EXCEEDED'],
    ['of a very long line', `v=0\r\na=${'x'.repeat(10_000)}\r\n`, 'MALFORMED'],
    ['of very many sections', `v=0\r\n${'m=video 9 x 96\r\n'.repeat(20)}`, 'LIMIT_EXCEEDED'],
  ])('%s is refused', (_, offer, refusal) => {
    expect(() => readPublishOffer(offer)).toThrow(code(refusal));
  });
});

describe('a WHIP answer', () => {
  const { tracks } = readPublishOffer(chromiumOffer);
  const plain = [
    ...[
      'v=0',
      's=-',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10',
    ],
    'a=candidate:7 1 udp 2130706431 10.0.0.5 40000 typ host',
    ...['m=video 9 UDP/TLS/RTP/SAVPF 104 105', 'a=mid:1', 'a=rtpmap:104 H264/90000', 'a=fmtp:104 packetization-mode=1'],
    'a=candidate:7 1 udp 2130706431 10.0.0.5 40000 typ host',
    'a=candidate:8 1 udp 2130706431 127.0.0.1 40001 typ host',
  ].join('\r\n');

  it('asks for retransmissions and keyframes, a good rate to begin with, and stereo', () => {
    const answer = completePublishAnswer(plain, { tracks, startBitrate: 2500 });
    expect(answer).toContain('a=fmtp:104 packetization-mode=1;x-google-start-bitrate=2500\r\n');
    expect(answer).toContain('a=fmtp:111 minptime=10;stereo=1\r\n');
    expect(answer).toContain('a=rtcp-fb:104 nack\r\na=rtcp-fb:104 nack pli\r\n');
    expect(answer).not.toContain('a=rtcp-fb:111');
  });

  it('tells the announced addresses in place of the ones that we have', () => {
    const answer = completePublishAnswer(plain, {
      tracks,
      startBitrate: 2500,
      announced: ['203.0.113.5', '2001:db8::1'],
    });
    expect(answer.match(/^a=candidate:.*(?=\r$)/gm)!.slice(1)).toEqual([
      'a=candidate:1 1 udp 2130706431 203.0.113.5 40000 typ host',
    ]);
  });
});

describe('a trickle fragment', () => {
  it('names candidates and the sections they are for', () => {
    const body =
      'a=ice-ufrag:Xk1r\r\na=ice-pwd:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\na=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\na=end-of-candidates\r\n';
    expect(parseTrickleFragment(body)).toEqual({
      usernameFragment: 'Xk1r',
      candidates: [{ mid: '1', candidate: 'candidate:1 1 udp 1 127.0.0.1 5 typ host' }],
    });
  });
  it.each([
    ['garbage', '{}', 'MALFORMED'],
    ['too long', 'a=candidate:1\r\n'.repeat(600), 'LIMIT_EXCEEDED'],
  ])('%s is refused', (_, body, refusal) => {
    expect(() => parseTrickleFragment(body)).toThrow(code(refusal));
  });
});
