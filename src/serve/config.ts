import { isIP } from 'node:net';
import { TrustedProxies } from '../access/trusted-proxies.ts';
import { relayVersions } from '../codec/moqt/version-names.ts';
import { StreamsError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { CongestionControl } from '../transport/quic/native-types.ts';
import { type ProcessName, processNames } from './children/child-messages.ts';
import type { PublicUrls } from './public-urls.ts';

/** What `streams serve` was asked for. Ports: 0 picks a free one. */
export type ServeOptions = {
  dataDir: string;
  host: string;
  httpPort: number;
  /** The same over TLS, by HTTP/2; PEM files. */
  https?: { port: number; certFile: string; keyFile: string };
  relayPort: number;
  rtmpPort: number;
  /** RTMP over TLS; PEM files. */
  rtmps?: { port: number; certFile: string; keyFile: string };
  srtPort: number;
  /** Addresses that WHIP publishers are told, and first and last UDP port of their media. */
  whip?: { announced?: readonly string[]; ports?: readonly [number, number] };
  /** Seconds of a live broadcast that LL-HLS players can go back; at least, and by default, 12. */
  hlsWindowSeconds?: number;
  /** Longest fragment of live media, seconds, at most 0.2; one access unit by default. */
  fragmentSeconds?: number;
  /** Largest upload, bytes. */
  maxUploadBytes?: number;
  /** MoQT versions that the relay offers, best first; all by default. */
  versions?: readonly string[];
  /** Sessions of the relay at once. */
  maxSessions?: number;
  /** Reverse proxies whose `x-forwarded-for` is believed: IP addresses and CIDR ranges. */
  trustedProxies?: readonly string[];
  /** Of the QUIC connections of relay and engine. */
  congestionControl?: CongestionControl;
  /** Processes to run. */
  only: readonly ProcessName[];
  /** Secret between the processes; made afresh for every run where none is given. */
  serviceToken?: string;
  /** Control plane of a relay or engine that runs without one. */
  controlUrl?: string;
  /** Relay of an engine that runs without one. */
  relayUrl?: string;
  /** What people are told instead of where this machine listens. */
  publicUrls?: PublicUrls;
  demo: boolean;
};

/** `--only control --only relay,engine`; all when nothing is given. Throws USAGE. */
export function parseOnly(values: readonly string[] | undefined): ProcessName[] {
  if (values === undefined || values.length === 0) return [...processNames];
  const asked = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  for (const name of asked) {
    if (!processNames.some((known) => known === name)) {
      throw new StreamsError('USAGE', `there is no process "${name}"`, { hint: `--only ${processNames.join(' | ')}` });
    }
  }
  return processNames.filter((name) => asked.includes(name));
}

/** `--whip-address 203.0.113.5 --whip-address 2001:db8::5,…`. Throws USAGE. */
export function parseAddresses(values: readonly string[]): string[] {
  const asked = values.flatMap((value) => value.split(',')).map((text) => text.trim());
  for (const address of asked) {
    if (isIP(address) === 0)
      throw new StreamsError('USAGE', `"${address}" is not an IP address`, { hint: '--whip-address 203.0.113.5' });
  }
  return asked;
}

/** `--trusted-proxy 192.0.2.10 --trusted-proxy 10.0.0.0/8,…`. Throws USAGE. */
export function parseTrustedProxies(values: readonly string[]): string[] {
  const rules = values.flatMap((value) => value.split(',')).map((text) => text.trim());
  new TrustedProxies(rules);
  return rules;
}

/** `--versions moqt-18 --versions moqt-16,…`. Throws USAGE. */
export function parseVersions(values: readonly string[], known: readonly string[] = relayVersions): string[] {
  const asked = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  for (const name of asked) {
    if (!known.includes(name)) {
      const meant = nearest(name, known);
      const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
      throw new StreamsError('USAGE', `"${name}" is not a MoQT version that we speak${guess}`, {
        hint: `--versions ${known.join(',')}`,
      });
    }
  }
  return asked;
}

/** Refuses in words what could only fail later. Throws USAGE. */
export function checkServeOptions(options: ServeOptions): void {
  const { only, serviceToken, controlUrl, relayUrl, demo } = options;
  const runs = (name: ProcessName) => only.includes(name);
  const names = only.join(' and ');
  if (!runs('control') && (controlUrl === undefined || serviceToken === undefined)) {
    throw new StreamsError(
      'USAGE',
      `${names} without a control process must know where one is, and its service token`,
      {
        hint: `STREAMS_SERVICE_TOKEN=… streams serve --only ${only.join(',')} --control-url http://127.0.0.1:8080`,
      },
    );
  }
  if (runs('engine') && !runs('relay') && relayUrl === undefined) {
    throw new StreamsError('USAGE', 'an engine without a relay process must know where one is', {
      hint: `streams serve --only ${only.join(',')} --relay-url https://127.0.0.1:4443`,
    });
  }
  if (runs('control') && only.length < processNames.length && serviceToken === undefined) {
    throw new StreamsError('USAGE', 'a control process that others join needs a service token they share', {
      hint: `STREAMS_SERVICE_TOKEN=$(openssl rand -hex 32) streams serve --only ${only.join(',')}`,
    });
  }
  if (serviceToken !== undefined && !/^[\x21-\x7e]{16,}$/.test(serviceToken)) {
    throw new StreamsError('USAGE', 'STREAMS_SERVICE_TOKEN must be 16 ASCII characters or more, without spaces', {
      hint: 'STREAMS_SERVICE_TOKEN=$(openssl rand -hex 32)',
    });
  }
  if (demo && only.length < processNames.length) {
    throw new StreamsError('USAGE', '--demo needs all three processes', { hint: 'streams serve --demo' });
  }
}

/** `scheme://host:port` as others reach a listener: the wildcard addresses are this machine. */
export function urlOf(scheme: string, host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' || host === '' ? '127.0.0.1' : host;
  return `${scheme}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
