import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';

/** What Chromium needs to send its made-up camera to this machine. */
export const whipChromiumArgs = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
];

const html = `<!doctype html><title>publish</title><script>
// A picture that is hard to compress, 30 times a second: the made-up camera's is not.
function noise({ width, height }) {
  const generator = new MediaStreamTrackGenerator({ kind: 'video' });
  const writer = generator.writable.getWriter();
  const frames = Array.from({ length: 12 }, () => {
    const bytes = new Uint8Array((width * height * 3) / 2).fill(128);
    for (let y = 0; y < height; y += 8)
      for (let x = 0; x < width; x += 8) bytes.fill(64 + Math.random() * 128, y * width + x, y * width + x + 8);
    return bytes;
  });
  let count = 0;
  const begun = performance.now();
  setInterval(() => {
    while (count * 1000 / 30 < performance.now() - begun) {
      const timestamp = Math.round(count * 1e6 / 30);
      const frame = new VideoFrame(frames[count % 12], { format: 'I420', codedWidth: width, codedHeight: height, timestamp });
      void writer.write(frame).catch(() => frame.close());
      count++;
    }
  }, 10);
  return generator;
}
async function publish({ url, key, video, audio, codec }) {
  const media = await navigator.mediaDevices.getUserMedia({ video: true, audio });
  media.getVideoTracks()[0].stop();
  media.removeTrack(media.getVideoTracks()[0]);
  if (video) media.addTrack(noise(video));
  const pc = new RTCPeerConnection();
  for (const track of media.getTracks()) {
    const transceiver = pc.addTransceiver(track, {
      direction: 'sendonly', streams: [media], sendEncodings: [track.kind === 'video' ? { maxBitrate: 2500000 } : {}],
    });
    if (track.kind === 'video' && codec !== undefined) {
      const all = RTCRtpSender.getCapabilities('video').codecs;
      transceiver.setCodecPreferences(all.filter((c) => c.mimeType === codec || c.mimeType === 'video/rtx'));
    }
  }
  let location, etag;
  const early = [];
  const headers = (type) => ({ authorization: 'Bearer ' + key, 'content-type': type, ...(etag ? { 'if-match': etag } : {}) });
  const ufrag = () => /a=ice-ufrag:(.*)/.exec(pc.localDescription.sdp)[1].trim();
  const pwd = () => /a=ice-pwd:(.*)/.exec(pc.localDescription.sdp)[1].trim();
  const statuses = [];
  const trickle = async ({ candidate, sdpMid }) => {
    const body = ['a=ice-ufrag:' + ufrag(), 'a=ice-pwd:' + pwd(), 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:' + sdpMid, 'a=' + candidate, ''];
    const answer = await fetch(location, { method: 'PATCH', headers: headers('application/trickle-ice-sdpfrag'), body: body.join('\\r\\n') });
    statuses.push(answer.status);
  };
  pc.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return;
    if (location) void trickle(candidate);
    else early.push(candidate);
  };
  await pc.setLocalDescription();
  const answer = await fetch(url, { method: 'POST', headers: headers('application/sdp'), body: pc.localDescription.sdp });
  if (answer.status !== 201) return { status: answer.status, problem: await answer.json() };
  location = new URL(answer.headers.get('location'), url).href;
  etag = answer.headers.get('etag');
  const sdp = await answer.text();
  await pc.setRemoteDescription({ type: 'answer', sdp });
  for (const candidate of early) void trickle(candidate);
  window.session = {
    pc, statuses,
    goodbye: async () => {
      const gone = await fetch(location, { method: 'DELETE', headers: { authorization: 'Bearer ' + key } });
      pc.close();
      return gone.status;
    },
  };
  return { status: 201, etag, sdp };
}
</script>`;

export type Published = { status: number; etag?: string; sdp?: string; problem?: Record<string, unknown> };

/** A page of another origin than the engine's, with a WHIP client of its own. */
export async function startWhipPage(): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Offers a noisy picture of 30 frames a second and the made-up microphone to a WHIP endpoint. */
export function publishFrom(
  page: Page,
  options: {
    url: string;
    key: string;
    video?: { width: number; height: number } | false;
    audio?: boolean;
    codec?: string;
  },
): Promise<Published> {
  const { video = { width: 640, height: 360 }, audio = true, ...rest } = options;
  return page.evaluate(
    (given) => (window as unknown as { publish(given: object): Promise<Published> }).publish(given),
    { ...rest, video, audio },
  );
}

/** Ends the session with DELETE; answers its status. */
export function sayGoodbye(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { session: { goodbye(): Promise<number> } }).session.goodbye());
}
