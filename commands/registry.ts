import { command } from './command.ts';
import { doctorSpec } from './doctor/specs.ts';
import { exitCodesSpec } from './help/specs.ts';
import { createSpec, deleteSpec, getSpec, listSpec, rotateKeySpec } from './inputs/specs.ts';
import { catalogSpec, segmentSpec, tokenSpec, trackSpec } from './inspect/specs.ts';
import { mintSpec } from './playback/specs.ts';
import { relaySpec } from './relay/specs.ts';
import { generateSpec, signSpec, verifySpec } from './relay-token/specs.ts';
import { serveSpec } from './serve/specs.ts';
import { watchSpec } from './watch/specs.ts';

/** Every command of the program, in the order of the help. */
export const commands = [
  command(serveSpec, () => import('./serve/serve.ts')),
  command(createSpec, () => import('./inputs/create.ts')),
  command(listSpec, () => import('./inputs/list.ts')),
  command(getSpec, () => import('./inputs/get.ts')),
  command(rotateKeySpec, () => import('./inputs/rotate-key.ts')),
  command(deleteSpec, () => import('./inputs/delete.ts')),
  command(mintSpec, () => import('./playback/mint.ts')),
  command(watchSpec, () => import('./watch/watch.ts')),
  command(catalogSpec, () => import('./inspect/catalog.ts')),
  command(segmentSpec, () => import('./inspect/segment.ts')),
  command(tokenSpec, () => import('./inspect/token.ts')),
  command(trackSpec, () => import('./inspect/track.ts')),
  command(relaySpec, () => import('./relay/relay.ts')),
  command(generateSpec, () => import('./relay-token/generate.ts')),
  command(signSpec, () => import('./relay-token/sign.ts')),
  command(verifySpec, () => import('./relay-token/verify.ts')),
  command(doctorSpec, () => import('./doctor/doctor.ts')),
  command(exitCodesSpec, () => import('./help/exit-codes.ts')),
];

/** One line for each noun. */
export const groups: Record<string, string> = {
  inputs: 'Live inputs: where encoders push',
  playback: 'Playback URLs and tokens',
  inspect: 'Look inside catalogs and media',
  'relay-token': 'Keys and tokens of a relay that runs alone',
  help: 'Help for a command or a topic',
};
