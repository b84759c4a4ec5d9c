import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StreamsError } from '../../core/errors.ts';
import { writeAtomically } from './certificate.ts';

const keyBytes = 64;

/**
 * The relay's stateless reset key (RFC 9000, 10.3), kept below `dataDir`: with it a relay that was killed and started anew
 * can tell its viewers so. Throws CONFIG_INVALID when it cannot be written.
 */
export async function ensureResetKey(dataDir: string): Promise<Uint8Array> {
  const file = join(dataDir, 'tls', 'reset.key');
  const kept = await readFile(file).catch(() => undefined);
  if (kept?.length === keyBytes) return kept;
  const made = randomBytes(keyBytes);
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeAtomically(file, made);
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot write ${file}`, { cause });
  }
  return made;
}
