import type { RelayStats } from '../relay.ts';

const gauges: Partial<Record<keyof RelayStats, string>> = {
  sessions: 'Open sessions',
  publishers: 'Open publisher sessions',
  peers: 'Open sessions with other relays of the cluster',
  subscriptions: 'Accepted subscriptions',
  namespaces: 'Announced namespaces',
  tracks: 'Tracks with an upstream subscription',
  cacheBytes: 'Bytes of objects kept',
};

const counters: Partial<Record<keyof RelayStats, string>> = {
  sessionsAccepted: 'Sessions opened',
  sessionsRefused: 'Connections that did not become a session',
  faults: 'Unexpected errors, each logged with its stack; a session at fault is closed',
  objectsIn: 'Objects received from publishers',
  bytesIn: 'Payload bytes received from publishers',
  objectsOut: 'Objects sent, each viewer counted',
  bytesOut: 'Object bytes sent, each viewer counted',
  objectsDropped: 'Objects a slow viewer never got',
  groupsDropped: 'Groups given up for a slow viewer',
};

/** Prometheus text format 0.0.4. */
export function metricsText(stats: RelayStats): string {
  return section(stats, gauges, 'gauge', '') + section(stats, counters, 'counter', '_total');
}

function section(
  stats: RelayStats,
  names: Partial<Record<keyof RelayStats, string>>,
  type: string,
  suffix: string,
): string {
  let text = '';
  for (const [key, help] of Object.entries(names)) {
    const name = `streams_relay_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}${suffix}`;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${stats[key as keyof RelayStats]}\n`;
  }
  return text;
}
