import type { Dialect } from './dialect.ts';
import { draft14 } from './draft14/draft14.ts';
import { draft16 } from './draft16/draft16.ts';
import { draft18 } from './draft18/draft18.ts';
import { draft19 } from './draft19/draft19.ts';
import { draft20, draft21, draft22 } from './draft20/draft20.ts';
import { type MoqtVersion, moqtVersions } from './version-names.ts';

const byVersion: Readonly<Record<MoqtVersion, Dialect>> = {
  'moqt-14': draft14,
  'moqt-16': draft16,
  'moqt-18': draft18,
  'moqt-19': draft19,
  'moqt-20': draft20,
  'moqt-21': draft21,
  'moqt-22': draft22,
};

/** Best first. */
export const dialects: readonly Dialect[] = moqtVersions.map((version) => byVersion[version]);

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
