import type { KeyMaterial } from '../../../codec/srt/key-material.ts';
import type { Authorise, PublishGrant, PublishRequest } from '../../../contract/publish-grant.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { Decryption } from './decryption.ts';
import { type Refusal, rejection } from './rejection.ts';

/** A caller that may publish. Without a stream key its passphrase has opened the input. */
export type Admission = { grant: PublishGrant; streamKey: string | undefined; decryption: Decryption | undefined };

/**
 * Asks about a caller that showed no stream key: only who has the passphrase of the input could make key material that it
 * opens. Rejects as `authorise` does, with UNAUTHORIZED when it is not encrypted at all.
 */
export async function admitByPassphrase(
  authorise: Authorise,
  request: PublishRequest,
  keys: KeyMaterial | undefined,
): Promise<Admission | Refusal> {
  if (keys === undefined)
    throw new StreamsError('UNAUTHORIZED', 'neither a stream key nor a passphrase', {
      hint: 'streamid=<input id>, and the passphrase of the input',
    });
  let answer: PublishGrant;
  try {
    answer = await authorise({
      ...request,
      srtKeys: { salt: base64(keys.salt), keyBytes: keys.keyBytes, wrapped: base64(keys.wrapped) },
    });
  } catch (error) {
    const { code, message } = toStreamsError(error);
    if (code === 'UNAUTHORIZED') return { reason: rejection.badSecret, message };
    throw error;
  }
  const { srtPassphrase, ...grant } = answer;
  const decryption = srtPassphrase === undefined ? undefined : new Decryption(srtPassphrase);
  if (!decryption?.accept(keys))
    throw new StreamsError('API_UNREACHABLE', 'the control plane gave no right passphrase');
  return { grant, streamKey: undefined, decryption };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
