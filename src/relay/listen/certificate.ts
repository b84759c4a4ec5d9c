import { createHash, createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { StreamsError } from '../../core/errors.ts';

export type RelayCertificate = {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** SHA-256 of the certificate's DER form, lower-case hexadecimal: what a browser pins. */
  readonly sha256: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfter: number;
};

export type CertificateOptions = {
  readonly dataDir: string;
  /** The user's own; else one is generated. */
  readonly files?: { readonly certificateFile: string; readonly keyFile: string };
  /** Host names and addresses beside localhost, 127.0.0.1 and ::1. */
  readonly hosts: readonly string[];
  /** Milliseconds since the Unix epoch; for tests. */
  readonly now?: number;
};

const dayMs = 86_400_000;
/** Browsers take a pinned certificate of at most 14 days (W3C WebTransport, custom certificate requirements). */
const validDays = 13;
const renewBelowDays = 4;

/**
 * The relay's certificate: the user's files as they are now, or a self-signed ECDSA P-256 one kept below `dataDir` and made
 * anew when it has less than 4 days left or lacks a host. Throws CONFIG_INVALID for files that cannot be used.
 */
export async function ensureCertificate(options: CertificateOptions): Promise<RelayCertificate> {
  if (options.files !== undefined) return readGiven(options.files.certificateFile, options.files.keyFile);
  const now = options.now ?? Date.now();
  const hosts = [...new Set(['localhost', '127.0.0.1', '::1', ...options.hosts])];
  const directory = join(options.dataDir, 'tls');
  const certificateFile = join(directory, 'relay-certificate.pem');
  const keyFile = join(directory, 'relay-key.pem');
  const kept = await readKept(certificateFile, keyFile);
  if (kept !== undefined && kept.notAfter - now >= renewBelowDays * dayMs && covers(kept, hosts)) return kept;
  const made = await generate(hosts, now);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeAtomically(keyFile, made.privateKeyPem);
    await writeAtomically(certificateFile, made.certificatePem);
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot write the relay's certificate below ${directory}`, { cause });
  }
  return made;
}

async function readGiven(certificateFile: string, keyFile: string): Promise<RelayCertificate> {
  try {
    return describe(await readFile(certificateFile, 'utf8'), await readFile(keyFile, 'utf8'));
  } catch (cause) {
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    throw new StreamsError('CONFIG_INVALID', `cannot use ${certificateFile} with ${keyFile}${detail}`, { cause });
  }
}

/** undefined when there is none, or it is damaged: a new one is made then. */
async function readKept(certificateFile: string, keyFile: string): Promise<RelayCertificate | undefined> {
  try {
    return describe(await readFile(certificateFile, 'utf8'), await readFile(keyFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function describe(certificatePem: string, privateKeyPem: string): RelayCertificate {
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(createPrivateKey(privateKeyPem))) {
    throw new StreamsError('CONFIG_INVALID', 'the key does not belong to the certificate');
  }
  const sha256 = createHash('sha256').update(certificate.raw).digest('hex');
  return { certificatePem, privateKeyPem, sha256, notAfter: Date.parse(certificate.validTo) };
}

function covers(kept: RelayCertificate, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(kept.certificatePem);
  return hosts.every((host) =>
    isIP(host) === 0 ? certificate.checkHost(host) !== undefined : certificate.checkIP(host) !== undefined,
  );
}

async function generate(hosts: readonly string[], now: number): Promise<RelayCertificate> {
  // Loaded late: most starts find a certificate. reflect-metadata is what @peculiar/x509 needs to load at all.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  // A little in the past, for clients whose clock is behind; the whole stays below 14 days.
  const notBefore = new Date(now - 3_600_000);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      name: 'CN=streams relay',
      notBefore,
      notAfter: new Date(notBefore.getTime() + validDays * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
      ],
    },
    webcrypto as unknown as Crypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return describe(certificate.toString('pem'), x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'));
}

/** Never a half-written file, never readable by others. */
export async function writeAtomically(path: string, text: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
