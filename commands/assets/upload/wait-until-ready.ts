import { delay } from '../../../src/core/delay.ts';
import { StreamsError, toStreamsError } from '../../../src/core/errors.ts';
import type { ApiClient } from '../../connection/api-client.ts';
import type { Asset } from '../asset.ts';

const firstPauseMs = 100;
const longestPauseMs = 2000;
/** Failures of the network that are waited out. */
const passing = ['API_UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED'];
const maxFailures = 30;

/**
 * Asks until an asset is ready. Throws MALFORMED with the reason when it is errored, TIMEOUT after `timeoutMs`, INTERRUPTED when the
 * signal aborts.
 */
export async function waitUntilReady(
  api: ApiClient,
  id: string,
  options: { timeoutMs: number; signal: AbortSignal; changed(asset: Asset): void },
): Promise<Asset> {
  const { timeoutMs, signal, changed } = options;
  const end = performance.now() + timeoutMs;
  let failures = 0;
  for (let pause = firstPauseMs; ; pause = Math.min(longestPauseMs, pause * 1.5)) {
    try {
      const asset = await api.request<Asset>('GET', `/v1/assets/${encodeURIComponent(id)}`);
      failures = 0;
      changed(asset);
      if (asset.status === 'ready') return asset;
      if (asset.status === 'errored')
        throw new StreamsError('MALFORMED', `asset ${id} is errored: ${asset.error ?? 'unknown'}`);
    } catch (error) {
      if (!passing.includes(toStreamsError(error).code) || ++failures > maxFailures) throw error;
    }
    if (performance.now() > end)
      throw new StreamsError('TIMEOUT', `asset ${id} was not ready within ${Math.round(timeoutMs / 1000)} s`, {
        hint: `streams assets get ${id} --watch`,
      });
    await delay(pause, signal);
    if (signal.aborted) throw new StreamsError('INTERRUPTED', 'interrupted');
  }
}
