import { StreamsError } from '../core/errors.ts';
import { controlAuthoriser } from '../relay/control-authoriser.ts';
import { startRelay } from '../relay/relay.ts';
import type { StartChild } from './child-role.ts';

export type RelayConfig = {
  host: string;
  port: number;
  dataDir: string;
  controlUrl: string;
  serviceToken: string;
  /** `iss` of playback tokens; asked of control where the relay runs without it. */
  issuer?: string;
};

export type RelayReady = { port: number; certificateSha256: string };

export const startChild: StartChild = async (config, logger) => {
  const { host, port, dataDir, ...control } = config as RelayConfig;
  const issuer = control.issuer ?? (await askIssuer(control));
  const authoriser = controlAuthoriser({ ...control, issuer, logger });
  const relay = await startRelay({ host, port, dataDir, authoriser, logger });
  return {
    ready: { port: relay.port, certificateSha256: relay.certificateSha256 } satisfies RelayReady,
    stop: () => relay.close(),
  };
};

async function askIssuer({
  controlUrl,
  serviceToken,
}: Pick<RelayConfig, 'controlUrl' | 'serviceToken'>): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`${controlUrl}/internal/installation`, {
      headers: { authorization: `Bearer ${serviceToken}` },
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', `can't reach the control plane at ${controlUrl}`, {
      cause,
      hint: 'streams serve --only control',
    });
  }
  if (response.status === 404) {
    throw new StreamsError('UNAUTHORIZED', `the control plane at ${controlUrl} does not know this service token`, {
      hint: 'give both the same STREAMS_SERVICE_TOKEN',
    });
  }
  const { issuer } = (await response.json().catch(() => ({}))) as { issuer?: unknown };
  if (typeof issuer === 'string') return issuer;
  throw new StreamsError('API_UNREACHABLE', `what answers at ${controlUrl} is not a streams control plane`);
}
