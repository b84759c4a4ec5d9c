import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { ensureCertificate, type RelayCertificate } from '../../../src/relay/listen/certificate.ts';
import { keepCertificate } from '../../../src/relay/listen/certificate-keeper.ts';
import { eventually } from '../eventually.ts';

const dayMs = 86_400_000;
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-certificate-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('ensureCertificate', () => {
  it('makes one that browsers pin: P-256, below 14 days, for the hosts asked for', async () => {
    const made = await ensureCertificate({ dataDir, hosts: ['relay.example', '192.0.2.7'] });
    const certificate = new X509Certificate(made.certificatePem);
    expect(certificate.publicKey.asymmetricKeyType).toBe('ec');
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    const lifeMs = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    expect(lifeMs).toBeLessThan(14 * dayMs);
    expect(lifeMs).toBeGreaterThan(12 * dayMs);
    for (const host of ['localhost', 'relay.example']) expect(certificate.checkHost(host)).toBe(host);
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(made.sha256);
  });

  it('keeps it to itself', async () => {
    await ensureCertificate({ dataDir, hosts: [] });
    const directory = join(dataDir, 'tls');
    expect((await stat(directory)).mode & 0o077).toBe(0);
    const files = await readdir(directory);
    expect(files.length).toBe(2);
    for (const file of files) expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
  });

  it('is used again after a restart, until it has less than 4 days left', async () => {
    const now = Date.now();
    const first = await ensureCertificate({ dataDir, hosts: [], now });
    expect((await ensureCertificate({ dataDir, hosts: [], now: now + 8 * dayMs })).sha256).toBe(first.sha256);
    const later = await ensureCertificate({ dataDir, hosts: [], now: now + 10 * dayMs });
    expect(later.sha256).not.toBe(first.sha256);
    expect((await ensureCertificate({ dataDir, hosts: [], now: now + 10 * dayMs })).sha256).toBe(later.sha256);
  });

  it('is made anew for another host, and when the files are damaged', async () => {
    const first = await ensureCertificate({ dataDir, hosts: [] });
    const second = await ensureCertificate({ dataDir, hosts: ['192.0.2.9'] });
    expect(second.sha256).not.toBe(first.sha256);
    await writeFile(join(dataDir, 'tls', 'relay-key.pem'), 'damaged');
    expect((await ensureCertificate({ dataDir, hosts: [] })).sha256).not.toBe(second.sha256);
  });

  it("uses the user's files and refuses ones that do not belong together", async () => {
    const made = await ensureCertificate({ dataDir, hosts: [] });
    const other = await ensureCertificate({ dataDir: join(dataDir, 'other'), hosts: [] });
    const certificateFile = join(dataDir, 'tls', 'relay-certificate.pem');
    const given = { certificateFile, keyFile: join(dataDir, 'tls', 'relay-key.pem') };
    expect((await ensureCertificate({ dataDir, files: given, hosts: ['x'] })).sha256).toBe(made.sha256);
    const wrong = { certificateFile, keyFile: join(dataDir, 'other', 'tls', 'relay-key.pem') };
    expect(other.sha256).not.toBe(made.sha256);
    await expect(ensureCertificate({ dataDir, files: wrong, hosts: [] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

describe('keepCertificate', () => {
  it('hands on the renewed one, once', async () => {
    const current = await ensureCertificate({ dataDir, hosts: [], now: Date.now() - 10 * dayMs });
    const swapped: RelayCertificate[] = [];
    const stop = keepCertificate({ dataDir, hosts: [] }, current, (next) => swapped.push(next), silentLogger, 5);
    await eventually(() => expect(swapped.length).toBe(1));
    stop();
    expect(swapped[0]?.sha256).not.toBe(current.sha256);
    expect((await ensureCertificate({ dataDir, hosts: [] })).sha256).toBe(swapped[0]?.sha256);
  });

  it('hands it on again when that failed', async () => {
    const current = await ensureCertificate({ dataDir, hosts: [], now: Date.now() - 10 * dayMs });
    const offered: string[] = [];
    const swap = (next: RelayCertificate): void => {
      offered.push(next.sha256);
      if (offered.length === 1) throw new TypeError('the listener does not take it');
    };
    const stop = keepCertificate({ dataDir, hosts: [] }, current, swap, silentLogger, 5);
    await eventually(() => expect(offered.length).toBe(2));
    stop();
    expect(offered[1]).toBe(offered[0]);
    expect(offered[0]).not.toBe(current.sha256);
  });
});
