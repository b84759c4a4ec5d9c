import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StreamsError } from '../../src/core/errors.ts';
import type { LogFields, Logger } from '../../src/core/log.ts';
import { catchTheRest } from '../../src/serve/children/last-resort.ts';
import { keepYoungGenerationSmall } from '../../src/serve/children/relay-memory.ts';
import { parseVersions, urlOf } from '../../src/serve/config.ts';
import { defaultDataDir } from '../../src/serve/data-dir.ts';
import { startRelayAlone } from '../../src/serve/relay-alone.ts';
import { type LogLevel, logLevels, relaySettings } from '../../src/serve/relay-settings/relay-settings.ts';
import type { Run } from '../command.ts';
import type { Output } from '../output/output.ts';
import type { relaySpec } from './specs.ts';

export const run: Run<typeof relaySpec> = async ({ args, options, env, output, signal }) => {
  const { listen, versions, tlsGenerate, authKey, authPublic, maxSessions, congestionControl, drainTo } = options;
  const settings = relaySettings(args.config === undefined ? undefined : await readConfig(args.config), {
    ...(listen !== undefined && { listen }),
    ...(versions !== undefined && { versions: parseVersions(versions) }),
    ...(tlsGenerate !== undefined && { tlsGenerate }),
    ...(authKey !== undefined && { authKey }),
    ...(authPublic !== undefined && { authPublic }),
    ...(maxSessions !== undefined && { maxSessions }),
    ...(congestionControl !== undefined && { congestionControl }),
    ...(drainTo !== undefined && { drainTo }),
  });
  keepYoungGenerationSmall();
  const dataDir = resolve(options.dataDir ?? join(defaultDataDir(env), 'relay'));
  const logger = loggerTo(output, settings.logLevel);
  const relay = await startRelayAlone(settings, { dataDir, logger });
  const leaveTheRest = catchTheRest(logger, () => relay.processFault());
  try {
    const { host } = settings.listen;
    const urls = {
      relay: urlOf('https', host, relay.port),
      ...(relay.httpPort && { http: urlOf('http', settings.http?.host ?? host, relay.httpPort) }),
      ...(relay.httpsPort && { https: urlOf('https', settings.https?.host ?? host, relay.httpsPort) }),
      ...(relay.internalPort && { internal: urlOf('http', settings.internal?.host ?? host, relay.internalPort) }),
    };
    sayReady(output, urls, relay.certificateSha256);
    await aborted(signal);
    if (!output.json) output.note('\nStopping (once more to stop at once)');
    const { drainMs: timeoutMs, drainTo: uri } = settings;
    await relay.drain({ timeoutMs, ...(uri !== undefined && { uri }) });
  } finally {
    await relay.close();
    leaveTheRest();
  }
};

async function readConfig(name: string): Promise<{ text: string; name: string }> {
  try {
    return { text: await readFile(name, 'utf8'), name };
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `${name} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function loggerTo(output: Output, least: LogLevel): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
      const rest = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
      output.event({
        json: { ...fields, type: 'log', level, message },
        line: [...(level === 'info' ? [] : [`${level}:`]), message, ...rest].join(' '),
      });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function sayReady(output: Output, urls: Record<string, string>, certificateSha256: string): void {
  const labels: Record<string, string> = { relay: 'Relay', http: 'HTTP', https: 'HTTPS', internal: 'Metrics' };
  const rows = Object.entries(urls).map(([name, url]) => `  ${labels[name]!.padEnd(9)}${url}`);
  output.event({
    json: { type: 'ready', version: 1, urls, certificateSha256 },
    line: ['', 'the relay is ready', ...rows, `  SHA-256  ${certificateSha256}`].join('\n'),
    data: true,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
