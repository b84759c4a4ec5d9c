import { SessionReports } from '../../relay/reports/session-reports.ts';
import { controlAuthoriser } from '../../relay/rights/control-authoriser.ts';
import { startRelay } from '../../relay/start-relay.ts';
import type { CongestionControl } from '../../transport/quic/native-types.ts';
import { askIssuer } from '../ask-issuer.ts';
import type { StartChild } from './child-role.ts';

export type RelayConfig = {
  host: string;
  port: number;
  dataDir: string;
  versions?: readonly string[];
  maxSessions?: number;
  congestionControl?: CongestionControl;
  /** The name it is reached by, for the certificate that it makes. */
  certificateHosts?: readonly string[];
  controlUrl: string;
  serviceToken: string;
  /** `iss` of playback tokens; asked of control where the relay runs without it. */
  issuer?: string;
};

export type RelayReady = { port: number; certificateSha256: string };

/** Within the supervisor's stop deadline. */
const drainMs = 1500;

export const startChild: StartChild = async (config, logger) => {
  const { host, port, dataDir, versions, maxSessions, congestionControl, certificateHosts, ...control } =
    config as RelayConfig;
  const issuer = control.issuer ?? (await askIssuer(control));
  const reports = new SessionReports({ ...control, dataDir, logger });
  const authoriser = reports.account(controlAuthoriser({ ...control, issuer, logger }));
  const relay = await startRelay({
    host,
    port,
    dataDir,
    authoriser,
    logger,
    ...(versions !== undefined && { versions }),
    ...(congestionControl !== undefined && { congestionControl }),
    ...(certificateHosts !== undefined && { certificateHosts }),
    ...(maxSessions !== undefined && { limits: { maxSessions } }),
  });
  return {
    ready: { port: relay.port, certificateSha256: relay.certificateSha256 } satisfies RelayReady,
    faulted: () => relay.processFault(),
    async stop() {
      await relay.drain({ timeoutMs: drainMs });
      await reports.close();
    },
  };
};
