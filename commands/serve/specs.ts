import { StreamsError } from '../../src/core/errors.ts';
import type { CommandSpec } from '../command.ts';
import { congestionControlOption } from '../options/congestion-control.ts';
import { parseDuration } from '../options/duration.ts';
import { parseSessionCount } from '../options/session-count.ts';
import { parseSize } from '../options/size.ts';
import { relayVersionsOption } from '../options/versions.ts';

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new StreamsError('USAGE', `"${text}" is not a port`, {
      hint: 'a number from 0 to 65535; 0 picks a free one',
    });
  }
  return port;
}

/** First and last of two or more. */
function parsePortRange(text: string): readonly [number, number] {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (first === undefined || range[0] < 1 || range[0] >= range[1] || range[1] > 65_535) {
    throw new StreamsError('USAGE', `"${text}" is not a range of ports`, { hint: '--whip-ports 50000-50100' });
  }
  return range;
}

function parseFragmentDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms > 200) {
    throw new StreamsError('USAGE', `a fragment of ${text} is too long`, {
      hint: 'up to 200ms, which is a part of LL-HLS',
    });
  }
  return ms;
}

const port = (description: string, preset: string) =>
  ({ value: 'port', description, parse: parsePort, default: preset }) as const;

const publicUrl = (what: string, form: string) =>
  ({ value: 'url', description: `${what} alone, where it is elsewhere: ${form}` }) as const;

export const serveSpec = {
  path: ['serve'],
  summary: 'Run control plane, relay and media engine on this machine',
  examples: [
    'streams serve',
    'streams serve --demo',
    'streams serve --http-port 0 --relay-port 0 --rtmp-port 0 --json',
  ],
  args: {},
  options: {
    dataDir: { value: 'dir', description: 'where the store and the keys are kept', default: '~/.local/share/streams' },
    host: { value: 'address', description: 'address to listen on', default: '127.0.0.1' },
    httpPort: port('HTTP: API, web player', '8080'),
    httpsPort: port('the same over TLS and HTTP/2, with --tls-cert', '8443'),
    tlsCert: {
      value: 'file',
      description: 'certificate for HTTPS and RTMPS, PEM with its chain; read again when it changes',
    },
    tlsKey: { value: 'file', description: 'its private key, PEM' },
    relayPort: port('QUIC/WebTransport (UDP) of the relay', '4443'),
    rtmpPort: port('RTMP ingest', '1935'),
    rtmpsPort: port('RTMP over TLS, with --tls-cert', '1936'),
    srtPort: port('SRT ingest', '9000'),
    whipAddress: {
      value: 'address',
      description: 'IP address that WHIP publishers are told, where it is not the one bound (NAT); may be repeated',
      repeatable: true,
    },
    whipPorts: {
      value: 'range',
      description: 'UDP ports for WHIP media, first-last; any free one by default',
      parse: parsePortRange,
    },
    hlsWindow: {
      value: 'duration',
      description: 'how far LL-HLS players can go back in a live broadcast (at most 256 MB a rendition)',
      parse: parseDuration,
      default: '12s',
    },
    fragmentDuration: {
      value: 'duration',
      description: 'longest fragment of live media, up to 200ms: fewer objects, more delay; one access unit by default',
      parse: parseFragmentDuration,
    },
    maxUpload: { value: 'size', description: 'largest file that may be uploaded', parse: parseSize, default: '64GB' },
    versions: relayVersionsOption,
    maxSessions: {
      value: 'count',
      description: 'publishers and viewers of the relay at once; more are refused',
      parse: parseSessionCount,
      default: '10000',
    },
    trustedProxy: {
      value: 'address',
      description: 'reverse proxy whose X-Forwarded-For is believed, address or range; may be repeated',
      repeatable: true,
    },
    congestionControl: congestionControlOption,
    only: {
      value: 'process',
      description: 'run only control, relay or engine; may be repeated, or a comma list',
      repeatable: true,
    },
    controlUrl: {
      value: 'url',
      description: 'control plane of a relay or engine that runs alone (its STREAMS_SERVICE_TOKEN in the environment)',
    },
    relayUrl: { value: 'url', description: 'relay of an engine that runs without one' },
    publicUrl: {
      value: 'url',
      description:
        'how people reach this server (env STREAMS_PUBLIC_URL); relay, RTMP, SRT, WHIP and HLS addresses take its name',
    },
    publicRelayUrl: publicUrl('the relay', 'https://host:port'),
    publicRtmpUrl: publicUrl('RTMP ingest', 'rtmp://host'),
    publicRtmpsUrl: publicUrl('RTMPS ingest', 'rtmps://host'),
    publicSrtUrl: publicUrl('SRT ingest', 'srt://host:port'),
    publicWhipUrl: publicUrl('what stands before /whip/…', 'https://host'),
    publicFmp4Url: publicUrl('what stands before /ingest/…', 'https://host'),
    publicHlsUrl: publicUrl('what stands before /hls/…', 'https://cdn'),
    demo: { description: 'put a test picture on air and print where to watch it' },
  },
} as const satisfies CommandSpec;
