import { sessionCodes } from '../../src/codec/moqt/codes.ts';
import { inBandProtocol, moqtProtocols, protocolsOf } from '../../src/codec/moqt/dialects.ts';
import { moqtVersions } from '../../src/codec/moqt/version-names.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { parseVersions } from '../../src/serve/config.ts';
import type { Transport } from '../../src/transport/transport.ts';

/** What `--versions` has a viewer or publisher offer: all by default. Throws USAGE for a version that there is not. */
export function offeredProtocols(names: readonly string[] | undefined): string[] {
  return names === undefined ? [...moqtProtocols] : protocolsOf(parseVersions(names, moqtVersions));
}

/** A server that names no version would have us agree on one in SETUP. Throws UNSUPPORTED, the transport closed, where none of ours is. */
export function withOfferedVersion<T extends Transport>(transport: T, offered: readonly string[]): T {
  if (transport.protocol !== '' || offered.includes(inBandProtocol)) return transport;
  transport.close({ code: sessionCodes.versionNegotiationFailed, reason: 'none of the versions offered' });
  throw new StreamsError('UNSUPPORTED', 'the relay speaks none of the MoQT versions asked for');
}
