import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import { encodeName } from '../../codec/moqt/fields/track-name.ts';
import type { Refusal } from '../../session/types.ts';

const maxFields = 32;
const maxBytes = 4096;

/**
 * A name that could not be told to others. The bounds of draft-18 2.4.1 hold for whole names: on the wire of its own session a name is
 * without the root, others have it with that. undefined: it can be told. `name`: of a track.
 */
export function refusalOfName(namespace: readonly string[], name = ''): Refusal | undefined {
  if (namespace.length > maxFields) return refusal(`more than ${maxFields} fields with the root of this session`);
  let bytes = encodeName(name).length;
  for (const field of namespace) bytes += encodeName(field).length;
  return bytes > maxBytes ? refusal(`a name over ${maxBytes} bytes with the root of this session`) : undefined;
}

function refusal(reason: string): Refusal {
  return { code: requestErrorCodes.notSupported, reason };
}
