import { StreamsError } from '../../core/errors.ts';
import type { ControlClient } from '../control-client.ts';

export type AssetReport = {
  status: 'queued' | 'processing' | 'ready' | 'errored';
  /** 0 to 100. */
  percent?: number;
  reason?: string;
  durationMs?: number;
  bytes?: number;
};

export type NewAsset = { orgId: string; assetId: string; playbackId: string };

/** What the packager asks and tells the control plane. Every call rejects with its refusal, or API_UNREACHABLE. */
export class AssetControl {
  readonly #control: ControlClient;

  constructor(control: ControlClient) {
    this.#control = control;
  }

  /** The org of an API key that may upload. */
  async mayUpload(apiKey: string, remoteAddress: string): Promise<string> {
    const { orgId } = (await this.#control.post('/internal/uploads/authorize', { apiKey, remoteAddress })) as NewAsset;
    return needText(orgId);
  }

  /** The asset a new upload fills: a new one, or `assetId`, which waits for its media. */
  async assetFor(apiKey: string, remoteAddress: string, create: { name: string; assetId?: string }): Promise<NewAsset> {
    return newAsset(await this.#control.post('/internal/uploads/authorize', { apiKey, remoteAddress, create }));
  }

  /** The asset that a broadcast becomes. */
  async recording(inputId: string, startedAt: number): Promise<NewAsset> {
    return newAsset(await this.#control.post('/internal/recordings', { inputId, startedAt }));
  }

  async report(assetId: string, report: AssetReport): Promise<void> {
    await this.#control.post(`/internal/assets/${assetId}/state`, report);
  }

  /** Which of these assets were deleted. */
  async gone(ids: readonly string[]): Promise<string[]> {
    const { gone } = (await this.#control.post('/internal/assets-gone', { ids })) as { gone?: unknown };
    return Array.isArray(gone) ? gone.filter((id) => ids.includes(id)) : [];
  }
}

function newAsset(answer: object): NewAsset {
  const { orgId, assetId, playbackId } = answer as Partial<NewAsset>;
  return { orgId: needText(orgId), assetId: needText(assetId), playbackId: needText(playbackId) };
}

function needText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new StreamsError('API_UNREACHABLE', 'the control plane gave an answer that is none');
}
