import { type AuthToken, encodeAuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import type { SessionContext } from '../context.ts';

/** Tokens of ours as a request carries them: each by value, none registered. */
export function tokensParameter(
  { dialect }: SessionContext,
  tokens: readonly AuthToken[] | undefined,
): Pick<MessageParameters, 'authorizationTokens'> {
  if (tokens === undefined || tokens.length === 0) return {};
  const { varints } = dialect;
  return { authorizationTokens: tokens.map((token) => encodeAuthToken(varints, { kind: 'useValue', token })) };
}
