import { moqtProtocols } from '../../codec/moqt/dialects.ts';
import { fromHex } from '../../core/bytes.ts';
import { startEngine } from '../../engine/engine.ts';
import { connect } from '../../transport/connect.ts';
import type { CongestionControl } from '../../transport/quic/native-types.ts';
import { askIssuer } from '../ask-issuer.ts';
import type { DemoInput } from '../demo.ts';
import type { StartChild } from './child-role.ts';

export type EngineConfig = {
  host: string;
  rtmpPort: number;
  /** RTMP over TLS as well. */
  rtmps?: { port: number; certFile: string; keyFile: string };
  srtPort: number;
  whip?: { announced?: readonly string[]; ports?: readonly [number, number] };
  hlsWindowSeconds?: number;
  fragmentSeconds?: number;
  congestionControl?: CongestionControl;
  controlUrl: string;
  serviceToken: string;
  /** `iss` of playback tokens; asked of control where the engine runs without it. */
  issuer?: string;
  /** `https://host:port`. */
  relayUrl: string;
  /** The relay runs beside this engine, so it may be asked for its own certificate on any address. */
  ownRelay: boolean;
  demo?: DemoInput;
  /** Where uploads and recordings are kept. */
  mediaDir: string;
  /** Largest upload, bytes. */
  maxUploadBytes?: number;
};

export type EngineReady = {
  httpUrl: string;
  rtmpPort: number;
  /** `name`: that of the certificate. */
  rtmps?: { port: number; name?: string };
  srtPort: number;
};

export const startChild: StartChild = async (config, logger) => {
  const { relayUrl, ownRelay, issuer, congestionControl, ...rest } = config as EngineConfig;
  const engine = await startEngine({
    ...rest,
    issuer: issuer ?? (await askIssuer(rest)),
    // Raw QUIC: an engine needs nothing of HTTP/3.
    relayUrl: relayUrl.replace(/^https:/, 'moqt:'),
    connect: async (url) =>
      connect(url, {
        versions: [...moqtProtocols],
        ...(ownRelay ? await certificateOf(new URL(relayUrl).host) : {}),
        ...(congestionControl !== undefined && { quic: { congestionControl } }),
      }),
    logger,
  });
  return {
    ready: {
      httpUrl: engine.httpUrl,
      rtmpPort: engine.rtmpPort,
      ...(engine.rtmps && {
        rtmps: { port: engine.rtmps.port, ...(engine.rtmps.name && { name: engine.rtmps.name }) },
      }),
      srtPort: engine.srtPort,
    } satisfies EngineReady,
    stop: () => engine.close(),
  };
};

/** Asked anew for every connection: the relay renews its certificate. */
async function certificateOf(host: string): Promise<{ certificateHashes?: Uint8Array[] }> {
  const response = await fetch(`http://${host}/certificate.sha256`, { signal: AbortSignal.timeout(5000) });
  const text = (await response.text()).trim();
  return response.ok && /^[0-9a-f]{64}$/i.test(text) ? { certificateHashes: [fromHex(text)] } : {};
}
