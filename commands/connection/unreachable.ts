import { StreamsError } from '../../src/core/errors.ts';

type Told = { why: string; hint: string };

const untrusted = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
];
const wrongCertificate = [
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
];
const noTls = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'];

/** API_UNREACHABLE with what the socket, TLS or HTTP said of it, in words, and what to do. Nothing of the request is repeated. */
export function unreachable(apiUrl: string, cause: unknown): StreamsError {
  const { why, hint } = told(apiUrl, codesOf(cause), cause);
  return new StreamsError('API_UNREACHABLE', `can't reach the API at ${apiUrl}: ${why}`, { cause, hint });
}

/** Waiting helps: not where certificate or protocol are wrong. */
export function passes(cause: unknown): boolean {
  return !codesOf(cause).some((code) => isLasting(code));
}

function isLasting(code: string): boolean {
  return [...untrusted, ...noTls, ...wrongCertificate].includes(code) || code.startsWith('HPE_');
}

/** Why a request to `url` failed, for other messages. */
export function reasonOf(url: string, cause: unknown): string {
  return told(url, codesOf(cause), cause).why;
}

function told(url: string, codes: readonly string[], cause: unknown): Told {
  const { protocol, hostname, host } = new URL(url);
  const has = (known: readonly string[]) => codes.some((code) => known.includes(code));
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const start = local ? 'streams serve' : 'streams doctor --api-url <url>';
  if (has(untrusted))
    return {
      why: 'its certificate is signed by nobody that this machine trusts',
      hint: '--ca-file ca.pem, or NODE_EXTRA_CA_CERTS=ca.pem: the certificate of who has signed it',
    };
  if (has(['CERT_HAS_EXPIRED']))
    return { why: 'its certificate has expired', hint: 'renew the certificate of the server' };
  if (has(['CERT_NOT_YET_VALID']))
    return { why: 'its certificate is not valid yet', hint: 'set the clock (NTP) of both machines' };
  if (has(['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH']))
    return { why: `its certificate is not one for ${hostname}`, hint: '--api-url with the name of the certificate' };
  if (protocol === 'https:' && has(noTls))
    return { why: 'it does not speak TLS there', hint: `--api-url http://${host}` };
  if (protocol === 'http:' && codes.some((code) => code.startsWith('HPE_')))
    return { why: 'it does not speak plain HTTP there', hint: `--api-url https://${host}` };
  if (has(['ECONNREFUSED'])) return { why: 'nothing listens there', hint: start };
  if (has(['ENOTFOUND', 'EAI_AGAIN']))
    return {
      why: `the name ${hostname} is not found`,
      hint: 'check the name in --api-url, STREAMS_API_URL or the profile',
    };
  if (has(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL']))
    return { why: 'there is no way to this address', hint: 'check the network, and the address in --api-url' };
  if (has(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']))
    return { why: 'it does not answer', hint: 'check the firewall, and the port in --api-url' };
  if (has(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']))
    return {
      why: 'it closed the connection',
      hint: protocol === 'http:' ? `the same command again, or --api-url https://${host}` : 'the same command again',
    };
  if (deepest(cause) === 'bad port') return { why: 'this port is not for HTTP', hint: '--api-url with another port' };
  const [code] = codes;
  return { why: code === undefined ? 'the request failed' : `the request failed (${code})`, hint: start };
}

/** Of the error, its causes, and what they are made of (AggregateError of both address families). */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const { code, cause, errors, causingError } = error as Record<string, unknown>;
  return [
    ...(typeof code === 'string' ? [code] : []),
    ...codesOf(cause, depth + 1),
    ...codesOf(causingError, depth + 1),
    ...(Array.isArray(errors) ? errors.flatMap((one) => codesOf(one, depth + 1)) : []),
  ];
}

function deepest(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.cause instanceof Error ? deepest(error.cause) : error.message;
}
