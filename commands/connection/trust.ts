import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import { StreamsError } from '../../src/core/errors.ts';

type Tls = {
  /** From Node 22.19 on. */
  getCACertificates?(kind: 'default'): string[];
  setDefaultCACertificates?(certificates: readonly string[]): void;
  createSecureContext: typeof tls.createSecureContext;
};

/** All TLS of this process trusts who has signed with a key of these certificates (PEM), beside those it trusts anyway. Throws USAGE. */
export async function trustAlso(file: string): Promise<void> {
  const hint = '--ca-file ca.pem';
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new StreamsError('USAGE', `cannot read ${file}: ${(cause as Error).message}`, { cause, hint });
  });
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0 || !found.every(isCertificate))
    throw new StreamsError('USAGE', `${file} holds no certificates in PEM`, { hint });
  const module = tls as Tls;
  if (module.getCACertificates !== undefined && module.setDefaultCACertificates !== undefined) {
    module.setDefaultCACertificates([...module.getCACertificates('default'), ...found]);
    return;
  }
  // Before, only the context of each connection can be told.
  const create = module.createSecureContext;
  module.createSecureContext = (options) => {
    const made = create(options);
    if (options?.ca === undefined)
      for (const certificate of found) (made.context as { addCACert(pem: string): void }).addCACert(certificate);
    return made;
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
