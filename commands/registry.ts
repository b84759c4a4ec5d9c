import * as analytics from './analytics/specs.ts';
import * as apiKeys from './api-keys/specs.ts';
import * as assets from './assets/specs.ts';
import { command } from './command.ts';
import { completionSpec } from './completion/specs.ts';
import * as config from './config/specs.ts';
import { doctorSpec } from './doctor/specs.ts';
import { environmentSpec, exitCodesSpec } from './help/specs.ts';
import * as inputs from './inputs/specs.ts';
import { catalogSpec, hlsSpec, segmentSpec, tokenSpec, trackSpec } from './inspect/specs.ts';
import * as keys from './keys/specs.ts';
import { loginSpec } from './login/specs.ts';
import * as playback from './playback/specs.ts';
import { publishSpec } from './publish/specs.ts';
import { relaySpec } from './relay/specs.ts';
import { generateSpec, signSpec, verifySpec } from './relay-token/specs.ts';
import { serveSpec } from './serve/specs.ts';
import { watchSpec } from './watch/specs.ts';
import * as webhooks from './webhooks/specs.ts';

/** Every command of the program, in the order of the help. */
export const commands = [
  command(serveSpec, () => import('./serve/serve.ts')),
  command(inputs.createSpec, () => import('./inputs/create.ts')),
  command(inputs.listSpec, () => import('./inputs/list.ts')),
  command(inputs.getSpec, () => import('./inputs/get.ts')),
  command(inputs.statusSpec, () => import('./inputs/status.ts')),
  command(inputs.updateSpec, () => import('./inputs/update.ts')),
  command(inputs.enableSpec, () => import('./inputs/enable.ts')),
  command(inputs.disableSpec, () => import('./inputs/disable.ts')),
  command(inputs.rotateKeySpec, () => import('./inputs/rotate-key.ts')),
  command(inputs.deleteSpec, () => import('./inputs/delete.ts')),
  command(playback.mintSpec, () => import('./playback/mint.ts')),
  command(playback.verifySpec, () => import('./inspect/token.ts')),
  command(playback.revokeSpec, () => import('./playback/revoke.ts')),
  command(playback.revocationsSpec, () => import('./playback/revocations.ts')),
  command(keys.createSpec, () => import('./keys/create.ts')),
  command(keys.listSpec, () => import('./keys/list.ts')),
  command(keys.importSpec, () => import('./keys/import.ts')),
  command(keys.rotateSpec, () => import('./keys/rotate.ts')),
  command(keys.deactivateSpec, () => import('./keys/deactivate.ts')),
  command(keys.deleteSpec, () => import('./keys/delete.ts')),
  command(webhooks.createSpec, () => import('./webhooks/create.ts')),
  command(webhooks.listSpec, () => import('./webhooks/list.ts')),
  command(webhooks.enableSpec, () => import('./webhooks/enable.ts')),
  command(webhooks.deleteSpec, () => import('./webhooks/delete.ts')),
  command(webhooks.deliveriesSpec, () => import('./webhooks/deliveries.ts')),
  command(webhooks.replaySpec, () => import('./webhooks/replay.ts')),
  command(analytics.viewersSpec, () => import('./analytics/viewers.ts')),
  command(analytics.summarySpec, () => import('./analytics/summary.ts')),
  command(analytics.broadcastsSpec, () => import('./analytics/broadcasts.ts')),
  command(analytics.sessionsSpec, () => import('./analytics/sessions.ts')),
  command(analytics.concurrencySpec, () => import('./analytics/concurrency.ts')),
  command(assets.uploadSpec, () => import('./assets/upload.ts')),
  command(assets.createSpec, () => import('./assets/create.ts')),
  command(assets.listSpec, () => import('./assets/list.ts')),
  command(assets.getSpec, () => import('./assets/get.ts')),
  command(assets.deleteSpec, () => import('./assets/delete.ts')),
  command(apiKeys.createSpec, () => import('./api-keys/create.ts')),
  command(apiKeys.listSpec, () => import('./api-keys/list.ts')),
  command(apiKeys.revokeSpec, () => import('./api-keys/revoke.ts')),
  command(publishSpec, () => import('./publish/publish.ts')),
  command(watchSpec, () => import('./watch/watch.ts')),
  command(catalogSpec, () => import('./inspect/catalog.ts')),
  command(segmentSpec, () => import('./inspect/segment.ts')),
  command(hlsSpec, () => import('./inspect/hls.ts')),
  command(tokenSpec, () => import('./inspect/token.ts')),
  command(trackSpec, () => import('./inspect/track.ts')),
  command(relaySpec, () => import('./relay/relay.ts')),
  command(generateSpec, () => import('./relay-token/generate.ts')),
  command(signSpec, () => import('./relay-token/sign.ts')),
  command(verifySpec, () => import('./relay-token/verify.ts')),
  command(loginSpec, () => import('./login/login.ts')),
  command(config.useSpec, () => import('./config/use.ts')),
  command(config.listSpec, () => import('./config/list.ts')),
  command(config.showSpec, () => import('./config/show.ts')),
  command(config.pathSpec, () => import('./config/path.ts')),
  command(doctorSpec, () => import('./doctor/doctor.ts')),
  ...(['bash', 'zsh', 'fish'] as const).map((shell) =>
    command(completionSpec(shell), async () => ({ run: (await import('./completion/print.ts')).printScript(shell) })),
  ),
  command(environmentSpec, () => import('./help/environment.ts')),
  command(exitCodesSpec, () => import('./help/exit-codes.ts')),
];

/** One line for each noun. */
export const groups: Record<string, string> = {
  inputs: 'Live inputs: where encoders push',
  playback: 'Playback URLs and tokens',
  keys: 'Signing keys of playback tokens',
  webhooks: 'Events posted to your own server',
  analytics: 'Who watches, how long and how well',
  assets: 'On-demand media',
  'api-keys': 'API keys of this control plane',
  inspect: 'Look inside catalogs and media',
  'relay-token': 'Keys and tokens of a relay that runs alone',
  completion: 'Completion of commands, options and ids in your shell',
  config: 'Profiles: which server, and as whom',
  help: 'Help for a command or a topic',
};
