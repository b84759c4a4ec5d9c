import { analyticsBroadcasts } from './analytics/broadcasts.ts';
import { analyticsConcurrency } from './analytics/concurrency.ts';
import { analyticsEvents } from './analytics/events.ts';
import { analyticsSummary } from './analytics/summary.ts';
import { analyticsViewerSessions } from './analytics/viewer-sessions.ts';
import { analyticsViewers } from './analytics/viewers.ts';
import { apiKeysCreate } from './api-keys/create.ts';
import { apiKeysList } from './api-keys/list.ts';
import { apiKeysRevoke } from './api-keys/revoke.ts';
import { assetsCreate } from './assets/create.ts';
import { assetsDelete } from './assets/delete.ts';
import { assetsGet } from './assets/get.ts';
import { assetsList } from './assets/list.ts';
import { assetsMintPlaybackToken } from './assets/mint-playback-token.ts';
import { assetsUpdate } from './assets/update.ts';
import { auditLogList } from './audit-log/list.ts';
import type { Operation } from './define.ts';
import { liveInputsCreate } from './live-inputs/create.ts';
import { liveInputsDelete } from './live-inputs/delete.ts';
import { liveInputsDisable } from './live-inputs/disable.ts';
import { liveInputsEnable } from './live-inputs/enable.ts';
import { liveInputsGet } from './live-inputs/get.ts';
import { liveInputsList } from './live-inputs/list.ts';
import { liveInputsMintPlaybackToken } from './live-inputs/mint-playback-token.ts';
import { liveInputsRotateStreamKey } from './live-inputs/rotate-stream-key.ts';
import { liveInputsStatus } from './live-inputs/status.ts';
import { liveInputsUpdate } from './live-inputs/update.ts';
import { orgsCreate } from './orgs/create.ts';
import { orgsGet } from './orgs/get.ts';
import { orgsList } from './orgs/list.ts';
import { orgsQuotas, orgsSetQuotas } from './orgs/quotas.ts';
import { orgsUpdate } from './orgs/update.ts';
import { playbackRevocations } from './playback/revocations.ts';
import { playbackRevoke } from './playback/revoke.ts';
import { signingKeysCreate } from './signing-keys/create.ts';
import { signingKeysDeactivate } from './signing-keys/deactivate.ts';
import { signingKeysDelete } from './signing-keys/delete.ts';
import { signingKeysImport } from './signing-keys/import.ts';
import { signingKeysList } from './signing-keys/list.ts';
import { signingKeysRotate } from './signing-keys/rotate.ts';
import { status } from './status.ts';
import { webhooksCreate } from './webhooks/create.ts';
import { webhooksDelete } from './webhooks/delete.ts';
import { webhooksDeliveries } from './webhooks/deliveries.ts';
import { webhooksList } from './webhooks/list.ts';
import { webhooksReplay } from './webhooks/replay.ts';
import { webhooksEnable } from './webhooks-enable.ts';
import { whoami } from './whoami.ts';

/** Everything the control plane can do. */
export const operations: readonly Operation[] = [
  liveInputsCreate,
  liveInputsList,
  liveInputsGet,
  liveInputsStatus,
  liveInputsUpdate,
  liveInputsDisable,
  liveInputsEnable,
  liveInputsRotateStreamKey,
  liveInputsDelete,
  liveInputsMintPlaybackToken,
  playbackRevoke,
  playbackRevocations,
  assetsCreate,
  assetsList,
  assetsGet,
  assetsUpdate,
  assetsDelete,
  assetsMintPlaybackToken,
  signingKeysCreate,
  signingKeysList,
  signingKeysImport,
  signingKeysRotate,
  signingKeysDeactivate,
  signingKeysDelete,
  apiKeysCreate,
  apiKeysList,
  apiKeysRevoke,
  analyticsSummary,
  analyticsViewers,
  analyticsConcurrency,
  analyticsBroadcasts,
  analyticsViewerSessions,
  analyticsEvents,
  webhooksCreate,
  webhooksList,
  webhooksEnable,
  webhooksDelete,
  webhooksDeliveries,
  webhooksReplay,
  orgsGet,
  orgsUpdate,
  orgsCreate,
  orgsList,
  orgsQuotas,
  orgsSetQuotas,
  auditLogList,
  whoami,
  status,
];
