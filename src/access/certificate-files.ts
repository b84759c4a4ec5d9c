import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { isIP } from 'node:net';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** PEM; the certificate with its chain. */
export type CertificateFiles = { certFile: string; keyFile: string };
export type Certificate = { cert: string; key: string };

const lookMs = 10_000;

/** Throws CONFIG_INVALID for files that cannot be read, are not PEM, or do not belong together. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  let files: Certificate;
  try {
    files = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `the certificate cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    const matches = new X509Certificate(files.cert).checkPrivateKey(createPrivateKey(files.key));
    if (!matches) throw new StreamsError('CONFIG_INVALID', `${keyFile} is not the key of ${certFile}`);
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('CONFIG_INVALID', `${certFile} or ${keyFile} is not PEM`, { cause });
  }
  return files;
}

/** The first name of a certificate that is one; undefined for one of addresses and wildcards only. */
export function certificateName(cert: string): string | undefined {
  const names = new X509Certificate(cert).subjectAltName?.split(', ') ?? [];
  return names.map((name) => /^DNS:([^*]+)$/.exec(name)?.[1]).find((name) => name !== undefined);
}

/** Whether a certificate is for this name or address. */
export function certificateCovers(cert: string, name: string): boolean {
  const certificate = new X509Certificate(cert);
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** Gives a TLS server what the files hold now whenever they change, for its new connections; what is no good is not taken. Returns how to stop. */
export function followCertificate(
  files: CertificateFiles,
  server: { setSecureContext(certificate: Certificate): void },
  logger: Logger,
): () => void {
  const reload = () => {
    try {
      server.setSecureContext(readCertificate(files));
      logger.info('the certificate was read again');
    } catch (error) {
      logger.warn('the new certificate is no good; the old one stays', { reason: toStreamsError(error).message });
    }
  };
  const watched = [files.certFile, files.keyFile];
  for (const file of watched) watchFile(file, { interval: lookMs, persistent: false }, reload);
  return () => {
    for (const file of watched) unwatchFile(file, reload);
  };
}
