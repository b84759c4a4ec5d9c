import type { CertificateFiles } from '../access/certificate-files.ts';
import { engineProof } from '../access/engine-proof.ts';
import { ControlClient } from '../contract/client.ts';
import { publishAuthoriser } from '../contract/publish-grant.ts';
import type { Logger } from '../core/log.ts';
import type { Transport } from '../transport/transport.ts';
import { Channels } from './channels.ts';
import { Heartbeat } from './heartbeat.ts';
import { serveHttp } from './http/serve-http.ts';
import { type DemoOptions, startDemo } from './ingest/demo/demo.ts';
import { IngestFollower } from './ingest/moqt/follower.ts';
import { RtmpServer } from './ingest/rtmp/server.ts';
import { SrtListener } from './ingest/srt/listener.ts';
import type { WhipNetwork } from './ingest/whip/peer.ts';
import { WhipServer } from './ingest/whip/server.ts';
import { findFfmpeg } from './transcode/find-ffmpeg.ts';
import type { RenditionsOptions } from './transcode/renditions.ts';
import type { FfmpegPrograms } from './vod/process/find-ffmpeg.ts';
import { Vod } from './vod/vod.ts';

export type EngineOptions = {
  host: string;
  /** 0 picks a free one. */
  rtmpPort: number;
  /** RTMP over TLS as well. */
  rtmps?: CertificateFiles & { port: number };
  /** UDP; 0 picks a free one. */
  srtPort: number;
  /** Where WebRTC media of WHIP is received, beyond `host`. */
  whip?: Omit<WhipNetwork, 'host'>;
  controlUrl: string;
  serviceToken: string;
  /** `iss` of playback tokens. */
  issuer: string;
  /** Where broadcasts are published: `https://host:port`. */
  relayUrl: string;
  /** Opens a transport to the relay. */
  connect: (url: string) => Promise<Transport>;
  logger: Logger;
  /** Publishes the test picture to this input. */
  demo?: DemoOptions;
  /** Seconds an LL-HLS playlist goes back; at least, and by default, 12. */
  hlsWindowSeconds?: number;
  /** Longest fragment that is made, seconds, at most 0.2; by default one access unit. */
  fragmentSeconds?: number;
  /** How long a broadcast waits for a publisher that vanished, ms; default 3000. */
  graceMs?: number;
  /** Where uploads and recordings are kept; without it there are none. */
  mediaDir?: string;
  /** Largest upload, bytes. */
  maxUploadBytes?: number;
  /** Unfinished uploads are thrown away when nothing came for so long; default 24 hours. */
  uploadAgeSeconds?: number;
  /** How often that, and deleted assets, are looked for; default 30 000. */
  assetSweepMs?: number;
  /** What packages files that are no fragmented MP4; by default the ffmpeg and ffprobe that are found. */
  findFfmpeg?: () => FfmpegPrograms | undefined;
  /** How renditions are made; by default with the ffmpeg that is found. */
  renditions?: Partial<RenditionsOptions>;
};

export type EngineStats = {
  rtmpConnections: number;
  srtConnections: number;
  whipSessions: number;
  live: ReturnType<Channels['stats']>;
};

export type Engine = {
  /** Ports really bound. */
  readonly rtmpPort: number;
  /** Undefined where there is none. `name`: that of its certificate, if it is for one. */
  readonly rtmps: { readonly port: number; readonly name: string | undefined } | undefined;
  readonly srtPort: number;
  /** Where it answers over HTTP, on loopback: for the control plane to pass on. */
  readonly httpUrl: string;
  stats(): EngineStats;
  /** Ends every broadcast with its last catalog, then lets go of the sockets. */
  close(): Promise<void>;
};

/** The media engine: encoders in, tracks to the relay out. Rejects with PORT_IN_USE or CONFIG_INVALID. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { host, rtmpPort, srtPort, relayUrl, connect, logger, graceMs } = options;
  const control = new ControlClient(options);
  const authorise = publishAuthoriser(control);
  const { ffmpeg = findFfmpeg() ?? '' } = options.renditions ?? {};
  const renditions = { ...options.renditions, ffmpeg };
  if (ffmpeg === '') logger.warn('no ffmpeg found: inputs are passed through, without renditions');
  const engineId = `eng_${crypto.randomUUID()}`;
  const vod =
    options.mediaDir === undefined ? undefined : await Vod.open({ ...options, dir: options.mediaDir, control });
  let heartbeat: Heartbeat | undefined;
  const channels = new Channels({
    relayUrl,
    connect,
    logger,
    changed: () => heartbeat?.beat(),
    ...(vod !== undefined && { record: (inputId, broadcast) => vod.record(inputId, broadcast) }),
    proof: (inputId) => engineProof(options.serviceToken, `publish ${inputId}`),
    ...(graceMs === undefined ? {} : { graceMs }),
    renditions,
    ...(options.fragmentSeconds === undefined ? {} : { fragmentSeconds: options.fragmentSeconds }),
  });
  const publish = (...[grant, streamKey, publisher]: Parameters<Channels['publish']>) =>
    channels.publish(grant, streamKey, publisher);
  const rtmp = await RtmpServer.listen({ host, port: rtmpPort, authorise, publish, logger }).catch(async (error) => {
    await vod?.close();
    throw error;
  });
  const rtmps =
    options.rtmps &&
    (await RtmpServer.listen({
      host,
      port: options.rtmps.port,
      tls: options.rtmps,
      authorise,
      publish,
      logger,
    }).catch(async (error) => {
      await rtmp.close();
      await vod?.close();
      throw error;
    }));
  const srt = await SrtListener.listen({ host, port: srtPort, authorise, publish, logger }).catch(async (error) => {
    await Promise.all([rtmp.close(), rtmps?.close()]);
    await vod?.close();
    throw error;
  });
  const whip = new WhipServer({ network: { ...options.whip, host }, authorise, publish, logger });
  const http = await serveHttp({
    ...options,
    authorise,
    publish,
    whip,
    live: (inputId) => channels.broadcast(inputId),
    vod,
  });
  const moqt = new IngestFollower({
    relayUrl,
    connect,
    proof: engineProof(options.serviceToken, 'ingest'),
    authorise,
    claim: async (inputId) => {
      await control.ask('engineClaim', { engineId, inputId });
    },
    publish: (grant, publisher) => channels.publish(grant, undefined, publisher, { claimed: true }),
    logger,
  });
  const pulse = new Heartbeat({
    async send(word, signal) {
      const heard = channels.telling();
      const { stop, moved, record } = await control.ask('heartbeat', { engineId, ...word }, { signal });
      heard();
      for (const inputId of moved) channels.move(inputId);
      for (const { inputId } of word.live) channels.setRecorded(inputId, record.includes(inputId));
      return stop;
    },
    live: () => channels.live(),
    errored: () => channels.takeErrored(),
    stop: (inputId) => channels.stop(inputId),
    logger,
  });
  heartbeat = pulse;
  const stopDemo = options.demo === undefined ? undefined : startDemo(options.demo, { authorise, publish, logger });
  let closing: Promise<void> | undefined;
  return {
    rtmpPort: rtmp.port,
    rtmps: rtmps && { port: rtmps.port, name: rtmps.name },
    srtPort: srt.port,
    httpUrl: http.url,
    stats: () => ({
      rtmpConnections: rtmp.connections + (rtmps?.connections ?? 0),
      srtConnections: srt.connections,
      whipSessions: whip.sessions,
      live: channels.stats(),
    }),
    close() {
      closing ??= (async () => {
        stopDemo?.();
        whip.close();
        await http.close();
        await Promise.all([rtmp.close(), rtmps?.close(), srt.close(), moqt.close()]);
        await channels.close();
        await vod?.close();
        await pulse.close();
      })();
      return closing;
    },
  };
}
