import { hostname } from 'node:os';
import { serverAuthoriser } from '../access/auth-server.ts';
import { openKeySource } from '../access/relay-token/key-source.ts';
import { tokenAuthoriser } from '../access/relay-token/path-authoriser.ts';
import type { Logger } from '../core/log.ts';
import { type Relay, startRelay } from '../relay/start-relay.ts';
import { makeDataDir } from './data-dir.ts';
import type { RelaySettings } from './relay-settings/relay-settings.ts';

/**
 * The relay without control plane and engine: sessions are authorised by `?jwt=` and public paths. The generated certificate
 * is kept below `dataDir`. Throws CONFIG_INVALID, PORT_IN_USE, QUIC_UNAVAILABLE.
 */
export async function startRelayAlone(
  settings: RelaySettings,
  { dataDir, logger }: { dataDir: string; logger: Logger },
): Promise<Relay> {
  const {
    listen,
    versions,
    tls,
    certificateHosts,
    http,
    https,
    internal,
    keys,
    authUrl,
    anonymous,
    limits,
    congestionControl,
    cluster,
    ignored,
  } = settings;
  for (const key of ignored) logger.warn('this key has no effect here', { key });
  const authoriser =
    authUrl === undefined
      ? tokenAuthoriser({ anonymous, ...(keys !== undefined && { keys: await openKeySource(keys) }) })
      : serverAuthoriser({ url: authUrl, node: hostname(), logger });
  await makeDataDir(dataDir);
  return startRelay({
    ...listen,
    ...(http !== undefined && { http }),
    ...(https !== undefined && { https }),
    internal,
    ...(versions !== undefined && { versions }),
    ...(tls !== undefined && { tls }),
    certificateHosts,
    dataDir,
    authoriser,
    logger,
    limits,
    ...(congestionControl !== undefined && { congestionControl }),
    ...(cluster !== undefined && { cluster }),
  });
}
