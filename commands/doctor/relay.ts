import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { dialectOf } from '../../src/codec/moqt/dialects.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { toStreamsError } from '../../src/core/errors.ts';
import { connect } from '../../src/transport/connect.ts';
import { offeredProtocols, withOfferedVersion } from '../options/offered-protocols.ts';
import { type Check, fail, ok, warn } from './check.ts';

const timeoutMs = 5000;
const dayMs = 86_400_000;

export type Relay = { url: string; certificateSha256?: string };

/**
 * Any answer will do, a refusal as well: packets went both ways. Unless `names` says which versions of MoQT it has to speak: then it has to
 * agree on one. Throws USAGE for a version that there is not.
 */
export async function udpCheck(relay: Relay, signal: AbortSignal, names?: readonly string[]): Promise<Check> {
  const hash = relay.certificateSha256;
  const versions = offeredProtocols(names);
  try {
    const transport = await connect(`${relay.url}/`, {
      versions,
      signal,
      timeoutMs,
      ...(hash === undefined ? {} : { certificateHashes: [fromHex(hash)] }),
    });
    withOfferedVersion(transport, versions).close({ code: 0, reason: '' });
    await transport.closed;
    const agreed = dialectOf(transport.protocol)?.version ?? transport.protocol;
    return ok('relay (UDP)', `${relay.url} answers${names === undefined ? '' : `, and speaks ${agreed}`}`);
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = toStreamsError(error);
    if (code === 'QUIC_UNAVAILABLE') return warn('relay (UDP)', 'not tried: there is no QUIC module', 'npm ci');
    if (names !== undefined && code !== 'TIMEOUT')
      return fail('relay (UDP)', message, 'streams doctor without --versions, to see whether it answers at all');
    if (code !== 'RELAY_UNREACHABLE' && code !== 'TIMEOUT') return ok('relay (UDP)', `${relay.url} answers`);
    const { hostname, port } = new URL(relay.url);
    const hint = `open UDP port ${port || 443} to ${hostname} in every firewall on the way; is the relay running?`;
    return fail('relay (UDP)', message, hint);
  }
}

/** The certificate on disk of a relay on this machine, else what a TLS connection to the relay shows. */
export async function certificateCheck(
  relay: Relay | undefined,
  dataDir: string,
  now: number,
): Promise<Check | undefined> {
  const local = relay === undefined || /^https:\/\/(127\.|localhost|\[::1\])/.test(relay.url);
  const pem = local ? await readFile(join(dataDir, 'tls', 'relay-certificate.pem')).catch(() => undefined) : undefined;
  const onDisk = pem === undefined ? undefined : parse(pem);
  // The folder may belong to another relay than the one that was asked.
  const same =
    relay?.certificateSha256 === undefined ||
    onDisk?.fingerprint256.replaceAll(':', '').toLowerCase() === relay.certificateSha256;
  const certificate = same && onDisk !== undefined ? onDisk : relay === undefined ? undefined : await shown(relay.url);
  if (certificate === undefined) {
    if (relay === undefined) return undefined;
    return relay.certificateSha256 !== undefined
      ? ok('certificate', 'made and renewed by the relay itself; clients know it by its hash')
      : warn('certificate', 'could not be seen', `openssl s_client -connect ${new URL(relay.url).host}`);
  }
  return expiryCheck(certificate.validFrom, certificate.validTo, now);
}

export function expiryCheck(validFrom: string, validTo: string, now: number): Check {
  const days = (Date.parse(validTo) - now) / dayMs;
  const renew = 'restart the relay, which renews its own; renew one that you gave it';
  if (Date.parse(validFrom) > now)
    return fail('certificate', `not valid before ${validFrom}`, 'set the clock of the relay');
  if (days <= 0) return fail('certificate', `expired ${validTo}`, renew);
  const message = `${Math.floor(days)} days left`;
  return days < 2 ? warn('certificate', message, renew) : ok('certificate', message);
}

function parse(pem: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function shown(url: string): Promise<X509Certificate | undefined> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connectTls({
      host,
      port: Number(port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
      timeout: timeoutMs,
    });
    const done = (certificate?: X509Certificate) => {
      socket.destroy();
      resolve(certificate);
    };
    socket.once('secureConnect', () => done(socket.getPeerX509Certificate()));
    socket.once('error', () => done());
    socket.once('timeout', () => done());
    socket.once('close', () => resolve(undefined));
  });
}
