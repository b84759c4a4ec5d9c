import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { StreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

const keyBytes = 32;

/**
 * The 32-byte key that private signing keys are sealed under: `STREAMS_MASTER_KEY` (64 hexadecimal digits or base64) when
 * set, else `<dataDir>/master.key`, made with mode 0600 on the first start. Throws CONFIG_INVALID when it is not 32 bytes.
 */
export function loadMasterKey(dataDir: string, env: string | undefined, logger: Logger): Uint8Array {
  if (env !== undefined && env !== '') return decode(env, 'STREAMS_MASTER_KEY');
  const file = join(dataDir, 'master.key');
  try {
    return readKey(file, logger);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  createKey(file);
  return readKey(file, logger);
}

function readKey(file: string, logger: Logger): Uint8Array {
  const text = readFileSync(file, 'utf8');
  if ((statSync(file).mode & 0o077) !== 0) {
    logger.warn('the master key was readable by others; set to 0600', { file });
    chmodSync(file, 0o600);
  }
  return decode(text.trim(), file);
}

/** Written beside and linked into place: a crash leaves no half key, and of two first starts one wins and both read its key. */
function createKey(file: string): void {
  const draft = `${file}.${process.pid}.new`;
  const fd = openSync(draft, 'w', 0o600);
  try {
    writeSync(fd, `${randomBytes(keyBytes).toString('base64')}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

function decode(text: string, where: string): Uint8Array {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== keyBytes)
    throw new StreamsError('CONFIG_INVALID', `${where} does not hold a 32-byte key`, {
      hint: 'It is 64 hexadecimal digits or base64: openssl rand -base64 32',
    });
  return bytes;
}
