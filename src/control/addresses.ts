import { isIP } from 'node:net';
import { StreamsError } from '../core/errors.ts';
import { machineAddress } from './machine-address.ts';

/**
 * Where the other processes are, as far as known. URLs without a trailing slash; the host `0.0.0.0` or `[::]` in one stands for whatever name people
 * are told.
 */
export type Endpoints = {
  /** `https://host:port` of the relay. */
  relayUrl?: string;
  /** SHA-256 of the relay's self-signed certificate in hexadecimal, for clients that pin it. */
  certificateSha256?: string;
  /** `rtmp://host:port`. */
  rtmpUrl?: string;
  /** `rtmps://name:port`, where there is one. */
  rtmpsUrl?: string;
  /** `srt://host:port`. */
  srtUrl?: string;
  /** `http://127.0.0.1:port` of the media engine beside this server; what it answers is passed on. */
  engineUrl?: string;
  /** The address of this server as people are told it; by default it follows from where it listens. */
  publicHttpUrl?: string;
  /** What stands before `/whip/…`, `/ingest/…` and `/hls/…`, where it is not the address of this server. */
  publicWhipUrl?: string;
  publicFmp4Url?: string;
  publicHlsUrl?: string;
};

/** The name that stands in the addresses which people are told, and where it is from. */
export type ChosenName = {
  /**
   * `setting`: --public-url. `bind`: the one address that is listened on. Where all are: `request`, the name that the request came by,
   * `certificate`, that of the certificate, or `machine`, an address of the machine.
   */
  by: 'setting' | 'bind' | 'request' | 'certificate' | 'machine';
  /** Host name or address, IPv6 without brackets. */
  name: string;
};

/** How a request came: `authority` is its Host, of a stranger's choice. */
export type Asked = { authority: string; secure: boolean };

/** Where the HTTP server listens. */
export type Listens = {
  host: string;
  port: number;
  https?: {
    port: number;
    /** The first name of its certificate. */
    name: string | undefined;
    /** Whether its certificate is for this name or address. */
    covers(name: string): boolean;
  };
};

export type ToldEndpoints = Endpoints & { publicHttpUrl: string; addresses: ChosenName };

/**
 * What stands before the path of something that the media engine answers: `apart` where it was said, else this server, which
 * passes it on. undefined: there is no engine.
 */
export function besideEngine(
  { engineUrl, publicHttpUrl }: ToldEndpoints,
  apart: string | undefined,
): string | undefined {
  return apart ?? (engineUrl === undefined ? undefined : publicHttpUrl);
}

/** All addresses of the machine at once. */
export function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::' || host === '[::]';
}

function isLoopbackName(name: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|::1)$/i.test(name);
}

/**
 * The endpoints as people are told them: a wildcard address in one of them gives way to the name that was chosen. A request by a loopback name
 * says nothing to others, so it chooses no name unless the answer is for the asker alone (`forAsker`).
 */
export function toldEndpoints(
  endpoints: Endpoints,
  listens: Listens,
  asked?: Asked | undefined,
  forAsker = false,
): ToldEndpoints {
  const [chosen, http] = choose(endpoints.publicHttpUrl, listens, asked, forAsker);
  return { ...filled(endpoints, chosen.name), publicHttpUrl: http, addresses: chosen };
}

const urlFields = ['relayUrl', 'rtmpUrl', 'rtmpsUrl', 'srtUrl'] as const;

function filled(endpoints: Endpoints, name: string): Endpoints {
  const told = { ...endpoints };
  for (const field of urlFields) {
    const url = endpoints[field];
    if (url !== undefined) told[field] = withName(url, name);
  }
  return told;
}

/** The URL with `name` in place of a wildcard address; one with another host stays. */
function withName(url: string, name: string): string {
  return url.replace(/^(\w+:\/\/)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, (_all, scheme) => `${scheme}${bracketed(name)}`);
}

function choose(
  publicHttpUrl: string | undefined,
  listens: Listens,
  asked: Asked | undefined,
  forAsker: boolean,
): [ChosenName, string] {
  const { host, port, https } = listens;
  if (publicHttpUrl !== undefined) return [{ by: 'setting', name: hostOf(publicHttpUrl) }, publicHttpUrl];
  if (!isWildcard(host)) {
    const name = https?.name ?? host;
    const chosen: ChosenName = { by: https?.name === undefined ? 'bind' : 'certificate', name };
    return [chosen, https === undefined ? httpUrl('http', host, port) : httpUrl('https', name, https.port)];
  }
  const name = asked === undefined ? undefined : plausibleName(asked.authority);
  if (asked !== undefined && name !== undefined && (forAsker || !isLoopbackName(name))) {
    const chosen: ChosenName = { by: 'request', name };
    if (asked.secure) return [chosen, `https://${asked.authority}`];
    if (https?.covers(name)) return [chosen, httpUrl('https', name, https.port)];
    return [chosen, `http://${asked.authority}`];
  }
  if (https?.name !== undefined)
    return [{ by: 'certificate', name: https.name }, httpUrl('https', https.name, https.port)];
  const address = machineAddress() ?? '127.0.0.1';
  const secure = https?.covers(address) === true;
  return [
    { by: 'machine', name: address },
    secure ? httpUrl('https', address, https.port) : httpUrl('http', address, port),
  ];
}

/** The host of `host:port` when it can be one: a DNS name or an address that is no wildcard. */
function plausibleName(authority: string): string | undefined {
  const [, name, v6] =
    /^(?:([0-9a-z_](?:[0-9a-z._-]{0,251}[0-9a-z_])?\.?)|\[([0-9a-f:.]{2,45})\])(?::\d{1,5})?$/i.exec(authority) ?? [];
  const found = v6 ?? name;
  if (found === undefined || isWildcard(found)) return undefined;
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  return found.split('.').some((label) => label.length > 63) || found.includes('..') ? undefined : found;
}

/** Without brackets. Throws CONFIG_INVALID for what is no URL with a host. */
export function hostOf(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  if (host === '') throw new StreamsError('CONFIG_INVALID', `"${url}" is not a URL with a host`);
  return host;
}

function httpUrl(scheme: string, host: string, port: number): string {
  return `${scheme}://${bracketed(host)}:${port}`;
}

/** A name as the host of a URL: IPv6 addresses in brackets. */
export function bracketed(name: string): string {
  return name.includes(':') ? `[${name}]` : name;
}
