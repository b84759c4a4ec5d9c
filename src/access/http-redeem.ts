import type { ControlClient } from '../contract/client.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';

/** Tells control that a one-time token is used now. */
export function redeemAtControl(control: ControlClient) {
  /** Throws TOKEN_INVALID when it was used before, API_UNREACHABLE when nobody can say. */
  return async (token: { org: string; jti: string; expiresAt: number }): Promise<void> => {
    try {
      await control.ask('tokenRedeem', token);
    } catch (error) {
      const { code, message } = toStreamsError(error);
      if (code === 'CONFLICT') throw new StreamsError('TOKEN_INVALID', 'the one-time token was used before');
      if (code === 'API_UNREACHABLE') throw error;
      throw new StreamsError('API_UNREACHABLE', `the control plane refused: ${message}`);
    }
  };
}
