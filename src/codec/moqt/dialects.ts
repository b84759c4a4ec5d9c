import type { Dialect } from './dialect.ts';
import { draft14 } from './draft14.ts';
import { draft16 } from './draft16.ts';
import { draft18 } from './draft18.ts';
import { draft19 } from './draft19.ts';
import { draft20, draft21, draft22 } from './draft20.ts';
import { liteProtocols } from './lite/version.ts';

/**
 * Best first: the order in which we offer and choose. Draft-18 is what most peers share; whoever lacks it gets a newer one, which says
 * all that it does, before an older one, which does not.
 */
export const dialects: readonly Dialect[] = [draft18, draft22, draft21, draft20, draft19, draft16, draft14];

/** Names of the versions, best first: those of `--versions`. */
export const moqtVersions: readonly string[] = dialects.map((dialect) => dialect.version);

/** What a relay speaks: moq-lite too, for the peers that offer nothing better. */
export const relayVersions: readonly string[] = [...moqtVersions, ...liteProtocols];

/** ALPN and WebTransport subprotocol names, best first. */
export const moqtProtocols: readonly string[] = protocolsOf(moqtVersions);

export function dialectFor(version: string): Dialect | undefined {
  return dialects.find((dialect) => dialect.version === version);
}

/** What stands for every draft up to 14: the version is agreed on in SETUP. */
export const inBandProtocol = protocolOf(draft14);

/** The version that a negotiated protocol stands for: without one, WebTransport means a draft up to 14, agreed on in SETUP. */
export function dialectOf(protocol: string): Dialect | undefined {
  return protocol === '' ? draft14 : dialects.find((dialect) => protocolOf(dialect) === protocol);
}

/** What to offer for versions; names that are not ours stay as they are. */
export function protocolsOf(versions: readonly string[]): string[] {
  return versions.map((version) => {
    const dialect = dialectFor(version);
    return dialect === undefined ? version : protocolOf(dialect);
  });
}

function protocolOf({ version, protocol = version }: Dialect): string {
  return protocol;
}
