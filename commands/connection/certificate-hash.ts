import { fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import type { OptionSpec } from '../command.ts';

/** `--cert-hash`: certificates to accept, whatever authority signed them. */
export const certificateHashOption = {
  value: 'sha256',
  description: "SHA-256 of the relay's certificate, hexadecimal; may be repeated",
  parse: parseHash,
  repeatable: true,
} as const satisfies OptionSpec;

/** 32 bytes in hexadecimal, with or without colons. Throws USAGE. */
function parseHash(text: string): Uint8Array {
  const digits = text.replaceAll(':', '');
  if (/^[0-9a-f]{64}$/i.test(digits)) return fromHex(digits);
  throw new StreamsError('USAGE', `"${text}" is not a SHA-256 in hexadecimal`, {
    hint: 'curl http://<relay>/certificate.sha256',
  });
}
