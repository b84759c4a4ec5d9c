import type { RTCDtlsTransport, RTCPeerConnection, RtcpSrPacket } from 'werift';
import type { RtpPacket } from '../../../codec/rtp/packet.ts';
import { completePublishAnswer } from '../../../codec/sdp/publish-answer.ts';
import type { PublishOffer } from '../../../codec/sdp/publish-offer.ts';
import { isUsableCandidate } from '../../../codec/sdp/sdp.ts';
import { StreamsError } from '../../../core/errors.ts';

/** Where media is received. */
export type WhipNetwork = {
  /** Address to bind; `0.0.0.0` or `::` for all of the machine's. */
  readonly host: string;
  /** Addresses that others are told, where they are not the machine's own (NAT one to one). */
  readonly announced?: readonly string[];
  /** First and last UDP port; any by default. */
  readonly ports?: readonly [number, number];
};

export type PeerEvents = {
  rtp(packet: RtpPacket): void;
  /** A sender report of that source. */
  senderReport(ssrc: number, ntp: bigint, timestamp: number): void;
  state(state: 'connected' | 'lost'): void;
};

/** kbit/s: without it a browser begins at 300 and takes half a minute to climb. */
const startBitrate = 2500;
const senderReportType = 200;

/**
 * One WebRTC connection that receives: werift does ICE, DTLS and SRTP, and hands on packets; what is in them, and what is
 * answered to them, is ours.
 */
export class Peer {
  readonly #connection: RTCPeerConnection;
  readonly #transports: readonly RTCDtlsTransport[];
  readonly answer: string;
  readonly #mids: readonly string[];

  private constructor(connection: RTCPeerConnection, answer: string, mids: readonly string[]) {
    this.#connection = connection;
    this.#transports = [...new Set(connection.dtlsTransports)];
    this.answer = answer;
    this.#mids = mids;
  }

  /** Answers an offer and waits for its sender. Rejects with UNSUPPORTED when the two find no common ground. */
  static async open(offer: PublishOffer, network: WhipNetwork, events: PeerEvents): Promise<Peer> {
    const { RTCPeerConnection, RTCRtpCodecParameters } = await import('werift');
    const codec = (mimeType: string, clockRate: number, channels?: number) =>
      new RTCRtpCodecParameters({ mimeType, clockRate, ...(channels === undefined ? {} : { channels }) });
    const connection = new RTCPeerConnection({
      iceServers: [],
      bundlePolicy: 'max-bundle',
      codecs: {
        video: ['h264', 'h265', 'vp9', 'av1', 'vp8', 'rtx'].map((name) => codec(`video/${name}`, 90_000)),
        audio: [codec('audio/opus', 48_000, 2)],
      },
      ...sockets(network),
    });
    try {
      await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      for (const transport of new Set(connection.dtlsTransports)) listen(transport, events);
      connection.connectionStateChange.subscribe((state) => {
        if (state === 'connected') events.state('connected');
        // What is only disconnected may come back; the session notices when nothing does.
        else if (state === 'failed' || state === 'closed') events.state('lost');
      });
      await connection.setLocalDescription(await connection.createAnswer());
      const { sdp } = connection.localDescription!;
      const { announced } = network;
      const options = { tracks: offer.tracks, startBitrate, ...(announced === undefined ? {} : { announced }) };
      const mids = offer.sdp.split('\r\n').flatMap((line) => (line.startsWith('a=mid:') ? [line.slice(6)] : []));
      return new Peer(connection, completePublishAnswer(sdp, options), mids);
    } catch (cause) {
      await connection.close();
      throw new StreamsError('UNSUPPORTED', 'the offer cannot be answered', { cause });
    }
  }

  /** A candidate of the other side, `candidate:…`; those that are of no use are passed over. */
  async addCandidate(mid: string, candidate: string): Promise<void> {
    const index = this.#mids.indexOf(mid);
    if (index === -1 || !isUsableCandidate(candidate)) return;
    await this.#connection.addIceCandidate({ candidate, sdpMid: mid, sdpMLineIndex: index }).catch(() => undefined);
  }

  /** RTCP packets, not yet encrypted. */
  send(packets: readonly Uint8Array[]): void {
    const [transport] = this.#transports;
    if (transport === undefined || packets.length === 0 || transport.state !== 'connected') return;
    const serialized = packets.map((packet) => ({ serialize: () => Buffer.from(packet) }));
    transport.sendRtcp(serialized as unknown as RtcpSrPacket[]).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
  }
}

/**
 * werift opens a socket for each address it is to tell: all of the machine's, or the ones given. Announced addresses replace
 * them, so one socket of each family will do.
 */
function sockets({ host, announced, ports }: WhipNetwork) {
  const range = ports === undefined ? {} : { icePortRange: [...ports] as [number, number] };
  if (host !== '0.0.0.0' && host !== '::') {
    const bound = { iceInterfaceAddresses: { udp4: host, udp6: host } };
    return { ...range, ...bound, iceUseIpv4: false, iceUseIpv6: false, iceAdditionalHostAddresses: [host] };
  }
  const families = announced?.map((address) => (address.includes(':') ? '::1' : '127.0.0.1'));
  return {
    ...range,
    iceUseIpv4: families === undefined,
    iceUseIpv6: families === undefined && host === '::',
    iceAdditionalHostAddresses: families === undefined ? ['127.0.0.1'] : [...new Set(families)],
  };
}

function listen(transport: RTCDtlsTransport, { rtp, senderReport }: PeerEvents): void {
  transport.onRtp.subscribe(({ header, payload }) =>
    rtp({
      payloadType: header.payloadType,
      sequence: header.sequenceNumber,
      timestamp: header.timestamp,
      ssrc: header.ssrc,
      marker: header.marker,
      payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.length),
    }),
  );
  transport.onRtcp.subscribe((packet) => {
    if (packet.type !== senderReportType) return;
    const { ssrc, senderInfo } = packet as RtcpSrPacket;
    senderReport(ssrc, senderInfo.ntpTimestamp, senderInfo.rtpTimestamp);
  });
}
