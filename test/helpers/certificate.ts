import 'reflect-metadata'; // tsyringe, under @peculiar/x509, does not load without it
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const day = 86_400_000;

/** A fresh self-signed ECDSA P-256 certificate for localhost, valid for 10 days, that is no authority; `sha256` is over its DER form. */
export async function testCertificate(): Promise<{
  certificatePem: string;
  privateKeyPem: string;
  sha256: Uint8Array;
}> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: 'CN=localhost',
      notBefore: new Date(now - 3_600_000),
      notAfter: new Date(now + 10 * day - 3_600_000),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ],
    },
    webcrypto as unknown as Crypto,
  );
  return {
    certificatePem: certificate.toString('pem'),
    privateKeyPem: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    sha256: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest(),
  };
}
