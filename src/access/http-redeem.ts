import { StreamsError } from '../core/errors.ts';
import { authFailed } from './grant.ts';

const timeoutMs = 5000;

/** Tells the control plane that a one-time token is used now: `POST <controlUrl>/internal/playback-tokens/redeem`. */
export function httpRedeem(options: { controlUrl: string; serviceToken: string; fetch?: typeof fetch }) {
  const url = new URL('/internal/playback-tokens/redeem', options.controlUrl);
  /** Throws TOKEN_INVALID when it was used before, API_UNREACHABLE when nobody can say. */
  return async (token: { org: string; jti: string; expiresAt: number }): Promise<void> => {
    let status: number;
    try {
      const response = await (options.fetch ?? fetch)(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${options.serviceToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(token),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      status = response.status;
    } catch (cause) {
      throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer', { cause });
    }
    if (status === 409) throw new StreamsError('TOKEN_INVALID', `${authFailed}the one-time token was used before`);
    if (status !== 200) throw new StreamsError('API_UNREACHABLE', `the control plane answered ${status}`);
  };
}
