import { playbackTokenLimits } from '../../contract/playback-token.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import type { AuthToken } from '../../session/types.ts';

/** The first token of a SETUP or a request as authorisers take it; one that is too long counts as none. */
export function tokenOf(tokens: readonly AuthToken[]): { readonly token?: string } {
  const [first] = tokens;
  return first === undefined || first.value.length > playbackTokenLimits.maxLength
    ? {}
    : { token: fromUtf8(first.value) };
}
