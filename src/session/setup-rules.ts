import { sessionCodes } from '../codec/moqt/codes.ts';
import type { Setup } from '../codec/moqt/control/setup.ts';
import { MoqtError } from '../codec/moqt/moqt-error.ts';
import type { Transport } from '../transport/transport.ts';
import type { PeerSetup } from './types.ts';

/** Where the path travels in SETUP (draft-18 10.3.1.2): on raw QUIC, and in memory, which stands in for it. */
export function setupCarriesPath(kind: Transport['kind']): boolean {
  return kind === 'quic' || kind === 'memory';
}

/** What the peer's SETUP says, by the rules of draft-18 10.3.1. Throws MoqtError (INVALID_PATH, MALFORMED_PATH, …). */
export function readPeerSetup(
  setup: Setup,
  transport: Transport,
  role: 'client' | 'server',
): Omit<PeerSetup, 'tokens'> {
  const { path, authority } = setup;
  const allowed = role === 'server' && setupCarriesPath(transport.kind);
  if (path !== undefined) {
    if (!allowed) throw new MoqtError(sessionCodes.invalidPath, 'PATH is not for this session');
    if (!/^(\/[!-~]*)?(\?[!-~]*)?$/.test(path) || path.includes('#'))
      throw new MoqtError(sessionCodes.malformedPath, 'PATH is not a path and query');
  }
  if (authority !== undefined) {
    if (!allowed) throw new MoqtError(sessionCodes.invalidAuthority, 'AUTHORITY is not for this session');
    if (!/^[!-~]*$/.test(authority) || /[/?#]/.test(authority))
      throw new MoqtError(sessionCodes.malformedAuthority, 'AUTHORITY is not an authority');
  }
  return {
    path: path ?? (role === 'server' ? transport.path : ''),
    authority: authority ?? '',
    implementation: setup.implementation ?? '',
    ...(setup.hopId !== undefined && { hopId: setup.hopId }),
    ...(setup.relayCost !== undefined && { relayCost: setup.relayCost }),
  };
}
