/**
 * Where an asset is on its way. `uploading`: its media is arriving. `queued`: it waits for the packager. `processing`: it is being
 * packaged. `ready`: it can be watched. `errored`: it cannot, and the asset says why.
 */
export const assetStates = ['uploading', 'queued', 'processing', 'ready', 'errored'] as const;

export type AssetState = (typeof assetStates)[number];

/**
 * What happens to an asset. `received`: all of an upload has arrived. `recorded`: a broadcast has ended, whose media was packaged
 * as it came. `begun`, `interrupted` and `packaged`: the packager's work; it is interrupted when the media engine ends. `retried`:
 * what has failed is packaged again.
 */
export const assetEvents = ['received', 'recorded', 'begun', 'interrupted', 'packaged', 'failed', 'retried'] as const;

export type AssetEvent = (typeof assetEvents)[number];

const steps: Readonly<Record<AssetState, Readonly<Partial<Record<AssetEvent, AssetState>>>>> = {
  uploading: { received: 'queued', recorded: 'ready', failed: 'errored' },
  queued: { begun: 'processing', failed: 'errored' },
  processing: { packaged: 'ready', interrupted: 'queued', failed: 'errored' },
  ready: {},
  errored: { retried: 'queued' },
};

/** Returns the state after the event; undefined when the event cannot happen in this state. */
export function nextAsset(state: AssetState, event: AssetEvent): AssetState | undefined {
  return steps[state][event];
}
