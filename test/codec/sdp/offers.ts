/** An offer as Chromium makes it, shortened to some of its codecs. */
export const chromiumOffer = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS 7a1c
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Xk1r
a=ice-pwd:fZ1yFHW0Yh0sYp7y8mEwSi8r
a=ice-options:trickle
a=fingerprint:sha-256 5B:9B:4F:71:1E:9A:33:0C:1D:6A:3F:0E:90:0B:6B:11:25:40:5C:0F:43:73:0E:5B:26:E3:5B:97:6A:83:8A:B5
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=sendonly
a=msid:7a1c 0b5a
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=ssrc:1234 cname:abc
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 98 99
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 127.0.0.1 50000 typ host generation 0
a=candidate:2 1 udp 2122260223 abcd-ef.local 50001 typ host generation 0
a=candidate:3 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active generation 0
a=ice-ufrag:Xk1r
a=ice-pwd:fZ1yFHW0Yh0sYp7y8mEwSi8r
a=ice-options:trickle
a=fingerprint:sha-256 5B:9B:4F:71:1E:9A:33:0C:1D:6A:3F:0E:90:0B:6B:11:25:40:5C:0F:43:73:0E:5B:26:E3:5B:97:6A:83:8A:B5
a=setup:actpass
a=mid:1
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=sendonly
a=msid:7a1c 9d2e
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=rtcp-fb:102 transport-cc
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:104 H264/90000
a=rtcp-fb:104 transport-cc
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:105 rtx/90000
a=fmtp:105 apt=104
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=ssrc-group:FID 11 12
a=ssrc:11 cname:abc
a=simulcast:send h;l
a=rid:h send
`.replaceAll('\n', '\r\n');

/** An offer as OBS makes it (libdatachannel): what is the same for both sections is said once, before them. */
export const obsOffer = `v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:Ljqx
a=ice-pwd:k7NXQ2wfKqEYDrOGZZSyjU
a=ice-options:ice2,trickle
a=fingerprint:sha-256 5B:9B:4F:71:1E:9A:33:0C:1D:6A:3F:0E:90:0B:6B:11:25:40:5C:0F:43:73:0E:5B:26:E3:5B:97:6A:83:8A:B5
m=audio 50001 UDP/TLS/RTP/SAVPF 111
c=IN IP4 127.0.0.1
a=mid:0
a=sendonly
a=ssrc:1371 cname:xyz
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
a=candidate:1 1 UDP 2114977791 127.0.0.1 50001 typ host
a=end-of-candidates
m=video 50001 UDP/TLS/RTP/SAVPF 96
c=IN IP4 127.0.0.1
a=mid:1
a=sendonly
a=ssrc:1372 cname:xyz
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
`.replaceAll('\n', '\r\n');

/** The same without the formats that match. */
export function without(offer: string, name: RegExp): string {
  const types = [...offer.matchAll(/^a=rtpmap:(\d+) (\S+)/gm)]
    .filter(([, , map]) => name.test(map!))
    .map(([, type]) => type);
  return offer
    .split('\r\n')
    .filter((line) => !types.some((type) => line.startsWith(`a=rtpmap:${type} `)))
    .join('\r\n');
}
