import { resolve } from 'node:path';
import { StreamsError } from '../../src/core/errors.ts';
import type { SupervisorEvent } from '../../src/serve/children/supervisor.ts';
import { parseAddresses, parseOnly, parseTrustedProxies, parseVersions } from '../../src/serve/config.ts';
import { defaultDataDir } from '../../src/serve/data-dir.ts';
import { readPublicUrls } from '../../src/serve/public-urls.ts';
import { type RunningServe, startServe } from '../../src/serve/serve.ts';
import { addressesNote } from '../addresses-note.ts';
import type { Run } from '../command.ts';
import type { Output } from '../output/output.ts';
import { plainWebWarning } from './plain-web.ts';
import type { serveSpec } from './specs.ts';

export const run: Run<typeof serveSpec> = async ({ options, env, output, signal }) => {
  const { STREAMS_SERVICE_TOKEN: serviceToken } = env;
  const host = options.host ?? '127.0.0.1';
  const running = await startServe(
    {
      dataDir: resolve(options.dataDir ?? defaultDataDir(env)),
      host,
      httpPort: options.httpPort ?? 8080,
      ...secure(options),
      relayPort: options.relayPort ?? 4443,
      rtmpPort: options.rtmpPort ?? 1935,
      srtPort: options.srtPort ?? 9000,
      whip: {
        ...(options.whipAddress === undefined ? {} : { announced: parseAddresses(options.whipAddress) }),
        ...(options.whipPorts === undefined ? {} : { ports: options.whipPorts }),
      },
      maxUploadBytes: options.maxUpload ?? 64e9,
      hlsWindowSeconds: (options.hlsWindow ?? 12_000) / 1000,
      ...(options.fragmentDuration === undefined ? {} : { fragmentSeconds: options.fragmentDuration / 1000 }),
      ...(options.versions === undefined ? {} : { versions: parseVersions(options.versions) }),
      ...(options.maxSessions === undefined ? {} : { maxSessions: options.maxSessions }),
      ...(options.trustedProxy === undefined ? {} : { trustedProxies: parseTrustedProxies(options.trustedProxy) }),
      ...(options.congestionControl === undefined ? {} : { congestionControl: options.congestionControl }),
      only: parseOnly(options.only),
      ...(serviceToken ? { serviceToken } : {}),
      ...(options.controlUrl === undefined ? {} : { controlUrl: options.controlUrl }),
      ...(options.relayUrl === undefined ? {} : { relayUrl: options.relayUrl }),
      publicUrls: readPublicUrls(
        {
          http: options.publicUrl,
          relay: options.publicRelayUrl,
          rtmp: options.publicRtmpUrl,
          rtmps: options.publicRtmpsUrl,
          srt: options.publicSrtUrl,
          whip: options.publicWhipUrl,
          fmp4: options.publicFmp4Url,
          hls: options.publicHlsUrl,
        },
        env,
      ),
      demo: options.demo === true,
    },
    { env, signal, onEvent: (event) => tell(output, event) },
  );
  sayReady(output, running);
  const plain = plainWebWarning({ host, urls: running.urls });
  if (plain !== undefined) {
    output.event({
      json: { type: 'log', process: 'serve', level: 'warn', ...plain },
      line: `\n! From other machines: ${plain.message}.\nTry: ${plain.hint}`,
    });
  }
  try {
    await aborted(signal);
    if (!output.json) output.note('\nStopping');
  } finally {
    await running.stop();
  }
};

type TlsOptions = {
  httpsPort: number | undefined;
  rtmpsPort: number | undefined;
  tlsCert: string | undefined;
  tlsKey: string | undefined;
};

/** Throws USAGE for a half of what it takes. */
function secure({ httpsPort, rtmpsPort, tlsCert, tlsKey }: TlsOptions) {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const files = { certFile: resolve(tlsCert), keyFile: resolve(tlsKey) };
    return { https: { port: httpsPort ?? 8443, ...files }, rtmps: { port: rtmpsPort ?? 1936, ...files } };
  }
  if (httpsPort === undefined && rtmpsPort === undefined && tlsCert === undefined && tlsKey === undefined) return {};
  throw new StreamsError('USAGE', 'TLS needs a certificate and its key', {
    hint: 'streams serve --tls-cert fullchain.pem --tls-key privkey.pem',
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

function tell(output: Output, event: SupervisorEvent): void {
  if (event.type === 'log') {
    const { process, line } = event;
    const { type: _type, process: _process, level, message, time, ...fields } = line;
    const rest = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
    output.event({
      json: { type: 'log', process, level, message, ...(time === undefined ? {} : { time }), ...fields },
      line: [`[${process}]`, ...(level === 'info' ? [] : [`${level}:`]), message, ...rest].join(' '),
    });
    return;
  }
  const { process } = event;
  if (event.event === 'exit') {
    output.event({
      json: event,
      line: `[${process}] died: ${event.reason}; starting it again in ${event.restartInMs / 1000} s`,
    });
  } else if (event.event === 'ready') {
    output.event(event.restarts === 0 ? { json: event } : { json: event, line: `[${process}] is back` });
  } else
    output.event({
      json: event,
      ...(event.killed ? { line: `[${process}] did not stop in time and was killed` } : {}),
    });
}

function sayReady(output: Output, { urls, addresses, apiKey, demo }: RunningServe): void {
  const labels = { http: 'HTTP', https: 'HTTPS', relay: 'Relay', rtmp: 'RTMP', rtmps: 'RTMPS', srt: 'SRT' } as const;
  const rows = Object.entries(urls).map(([name, url]) => `  ${labels[name as keyof typeof labels].padEnd(8)}${url}`);
  const note = addressesNote(addresses);
  const lines = ['', 'streams is ready', ...rows, ...(note === undefined ? [] : [`  ${note}`])];
  if (apiKey !== undefined) {
    lines.push(
      `  API key ${apiKey}`,
      '          (shown this once; kept in the profile "local", where the commands find it)',
    );
  }
  output.event({
    json: { type: 'ready', version: 1, urls, addresses, ...(apiKey === undefined ? {} : { apiKey }) },
    line: lines.join('\n'),
    data: true,
  });
  if (demo !== undefined) {
    output.event({
      json: { type: 'demo', version: 1, ...demo },
      line: `\nThe demo is on air (${demo.inputId}). Watch it:\n  ${demo.watchUrl}`,
      data: true,
    });
    output.next([`streams watch '${demo.url}'`]);
  } else if (urls.http !== undefined) output.next(['streams inputs create --name show', 'streams inputs list']);
}
