import type { ControlClient } from '../../contract/client.ts';
import type { AnswerOf, RequestOf } from '../../contract/endpoints.ts';
import { StreamsError } from '../../core/errors.ts';

export type AssetReport = RequestOf<'assetState'>;
export type NewAsset = AnswerOf<'recordings'>;

/** What the packager asks and tells the control plane. Every call rejects with its refusal, or API_UNREACHABLE. */
export class AssetControl {
  readonly #control: ControlClient;

  constructor(control: ControlClient) {
    this.#control = control;
  }

  /** Returns the org of an API key that may upload. `promise`: how long an upload will be, where less was known of it before. */
  async mayUpload(
    apiKey: string,
    remoteAddress: string,
    promise?: { assetId: string; bytes: number },
  ): Promise<string> {
    const asked = { apiKey, remoteAddress, ...(promise !== undefined && { promise }) };
    return needText((await this.#control.ask('uploadAuthorize', asked)).orgId);
  }

  /** Returns the asset that a new upload fills: a new one, or `assetId`, which waits for its media. */
  async assetFor(
    apiKey: string,
    remoteAddress: string,
    create: { name: string; assetId?: string; bytes: number },
  ): Promise<NewAsset> {
    return newAsset(await this.#control.ask('uploadAuthorize', { apiKey, remoteAddress, create }));
  }

  /** Returns the asset that a broadcast becomes. */
  async recording(inputId: string, startedAt: number): Promise<NewAsset> {
    return newAsset(await this.#control.ask('recordings', { inputId, startedAt }));
  }

  async report(assetId: string, report: AssetReport): Promise<void> {
    await this.#control.ask('assetState', report, { id: assetId });
  }

  /** Returns those of these assets that were deleted. */
  async gone(ids: readonly string[]): Promise<string[]> {
    const { gone } = await this.#control.ask('assetsGone', { ids: [...ids] });
    return Array.isArray(gone) ? gone.filter((id) => ids.includes(id)) : [];
  }
}

function newAsset({ orgId, assetId, playbackId }: { [name in keyof NewAsset]?: NewAsset[name] | undefined }): NewAsset {
  return { orgId: needText(orgId), assetId: needText(assetId), playbackId: needText(playbackId) };
}

function needText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new StreamsError('API_UNREACHABLE', 'the control plane gave an answer that is none');
}
