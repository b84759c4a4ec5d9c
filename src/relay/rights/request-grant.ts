import { type Authoriser, type Grant, nothingCarried } from '../../access/grant.ts';
import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import { playbackTokenLimits } from '../../contract/playback-token.ts';
import { formatSessionPath } from '../../contract/session-path.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { toStreamsError } from '../../core/errors.ts';
import type { AuthToken, Refusal, TrackName } from '../../session/types.ts';
import type { Transport } from '../../transport/transport.ts';
import { authFailed, isAboutRights } from './auth-failed.ts';
import { refusalToSubscribe } from './session-rights.ts';

export type AskedTrack = { readonly track: TrackName; readonly tokens: readonly AuthToken[] };

/** `over`: to be called once when the request is over, so that whoever granted it for a token hears of its end. */
export type RequestGrant = { readonly grant: Grant; over(): void };

/** The grant of the session, or else of a token that came with the request (draft-18 10.2.2), if it covers the track. */
export async function grantForRequest(
  grant: Grant,
  { track, tokens }: AskedTrack,
  { remoteAddress, origin }: Transport,
  authoriser: Authoriser,
): Promise<RequestGrant | Refusal> {
  const refusal = refusalToSubscribe(grant, track);
  const [token] = tokens;
  if (refusal === undefined) return { grant, over: () => {} };
  if (token === undefined) return refusal;
  const path = formatSessionPath({ kind: 'playback', id: track.namespace.at(-1) ?? '' });
  try {
    const request = { path, ...tokenOf([token]), remoteAddress, ...(origin !== undefined && { origin }) };
    const other = await authoriser.authorise(request);
    const stillRefused = refusalToSubscribe(other, track);
    if (stillRefused === undefined) return { grant: other, over: () => endOf(other, 'the request is over') };
    endOf(other, 'refused');
    return stillRefused;
  } catch (error) {
    const { code, message } = toStreamsError(error);
    return {
      code: code === 'TOKEN_EXPIRED' ? requestErrorCodes.expiredAuthToken : requestErrorCodes.unauthorized,
      reason: isAboutRights(code) ? authFailed(message) : message,
    };
  }
}

function endOf(grant: Grant, reason: string): void {
  grant.over?.({ reason, ...nothingCarried });
}

/** The first token of a SETUP or a request as authorisers take it; one that is too long counts as none. */
export function tokenOf(tokens: readonly AuthToken[]): { readonly token?: string } {
  const [first] = tokens;
  return first === undefined || first.value.length > playbackTokenLimits.maxLength
    ? {}
    : { token: fromUtf8(first.value) };
}
