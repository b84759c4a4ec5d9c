import { resolve } from 'node:path';
import { StreamsError } from '../../src/core/errors.ts';
import { defaultDataDir } from '../../src/serve/data-dir.ts';
import type { Run } from '../command.ts';
import { resolveConnection } from '../profile.ts';
import type { Check } from './check.ts';
import { dataDirCheck, diskCheck, ffmpegCheck, nodeCheck, quicCheck } from './machine.ts';
import { portsCheck, servePorts } from './ports.ts';
import { certificateCheck, udpCheck } from './relay.ts';
import { profilesCheck, serverChecks } from './server.ts';
import type { doctorSpec } from './specs.ts';

export const run: Run<typeof doctorSpec> = async ({ options, global, env, output, signal }) => {
  const dataDir = resolve(options.dataDir ?? defaultDataDir(env));
  const connection = await resolveConnection(global, env);
  const [machine, server] = await Promise.all([
    Promise.all([
      nodeCheck(process.versions.node),
      quicCheck(),
      ffmpegCheck(env, signal),
      dataDirCheck(dataDir),
      diskCheck(dataDir),
      profilesCheck(env),
    ]),
    serverChecks(connection, signal),
  ]);
  const { relay } = server;
  const [ports, certificate, udp] = await Promise.all([
    portsCheck(servePorts, '127.0.0.1', server.reachable && isLocal(connection.apiUrl)),
    certificateCheck(relay, dataDir, Date.now()),
    relay === undefined ? undefined : udpCheck(relay, signal, options.versions),
  ]);
  const checks = [...machine, ports, ...server.checks, certificate, udp].filter((check) => check !== undefined);
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  const failed = count('fail');
  const marks = { ok: '✔', warn: '!', fail: '✖' };
  await output.result({
    json: { type: 'doctor', ok: failed === 0, checks },
    blocks: [
      {
        kind: 'fields',
        rows: checks.flatMap(({ name, status, message, hint }) => [
          [`${marks[status]} ${name}`, message] as [string, string],
          ...(hint === undefined ? [] : [['', `→ ${hint}`] as [string, string]]),
        ]),
      },
    ],
  });
  if (failed === 0) return;
  const names = checks.filter(({ status }) => status === 'fail').map(({ name }) => name);
  throw new StreamsError(
    'INTERNAL',
    `${failed === 1 ? 'one check fails' : `${failed} checks fail`}: ${names.join(', ')}`,
    {
      hint: 'do what each line says, then streams doctor again',
    },
  );
};

function isLocal(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}
