import type { ControlContext } from '../context.ts';
import type { App } from './app-env.ts';

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** Requests by method and status; the labels are bounded whatever clients send. */
export class HttpMetrics {
  readonly #requests = new Map<string, number>();

  count(method: string, status: number): void {
    const labels = `method="${methods.has(method) ? method : 'other'}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#requests].map(([labels, count]) => `streams_control_http_requests_total{${labels}} ${count}`);
  }
}

/** Prometheus text format, version 0.0.4. */
export function mountMetrics(app: App, context: ControlContext, metrics: HttpMetrics): void {
  app.get('/metrics', async (c) => {
    await context.liveness.sweep();
    const inputs = await context.db
      .selectFrom('live_inputs')
      .select((eb) => ['status', eb.fn.countAll().as('count')])
      .groupBy('status')
      .execute();
    const live = await context.db
      .selectFrom('live_inputs')
      .select(['id', 'ingest_stats'])
      .where('status', '=', 'live')
      .where('ingest_stats', 'is not', null)
      .execute();
    const lines = [
      '# HELP streams_control_http_requests_total HTTP requests answered.',
      '# TYPE streams_control_http_requests_total counter',
      ...metrics.lines(),
      '# HELP streams_live_inputs Live inputs by status.',
      '# TYPE streams_live_inputs gauge',
      ...inputs.map((row) => `streams_live_inputs{status="${row.status}"} ${Number(row.count)}`),
      ...ingestLines(live),
      ...transcodeLines(live),
      '# HELP process_resident_memory_bytes Resident memory of the control process.',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ];
    return c.text(`${lines.join('\n')}\n`, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}

/** What the engine measures of each ingest; a figure that an ingest does not have is left out. */
const ingestFigures = [
  ['bitrate', 'streams_ingest_bits_per_second', 'gauge', 'Media of a live input, all tracks.'],
  ['fps', 'streams_ingest_frames_per_second', 'gauge', 'Pictures of a live input.'],
  ['keyframeIntervalMs', 'streams_ingest_keyframe_interval_ms', 'gauge', 'Between its last two keyframes.'],
  ['driftMs', 'streams_ingest_drift_ms', 'gauge', "How far its clock has run ahead of the engine's since it began."],
  ['avSkewMs', 'streams_ingest_av_skew_ms', 'gauge', 'How far its pictures are ahead of its sound.'],
  ['missingPackets', 'streams_ingest_missing_packets_total', 'counter', 'Packets that others overtook; most come yet.'],
  ['retransmittedPackets', 'streams_ingest_retransmitted_packets_total', 'counter', 'Packets that came on request.'],
  ['lostPackets', 'streams_ingest_lost_packets_total', 'counter', 'Packets that never came, or too late.'],
  ['retransmitRequests', 'streams_ingest_retransmit_requests_total', 'counter', 'Packets asked for again.'],
  ['rttMs', 'streams_ingest_rtt_ms', 'gauge', 'Round trip to its encoder.'],
  ['jitterMs', 'streams_ingest_jitter_ms', 'gauge', 'Of its packets.'],
  ['relayConnected', 'streams_ingest_relay_connected', 'gauge', 'Whether the engine publishes it to the relay now.'],
  [
    'relayDroppedObjects',
    'streams_ingest_relay_dropped_objects_total',
    'counter',
    'Given up: the line to the relay is too slow.',
  ],
  ['relayDroppedGroups', 'streams_ingest_relay_dropped_groups_total', 'counter', 'The groups that these were in.'],
] as const;

function ingestLines(live: readonly { id: string; ingest_stats: string | null }[]): string[] {
  const read = live.map(({ id, ingest_stats }) => ({ id, stats: JSON.parse(ingest_stats ?? '{}') }));
  return ingestFigures.flatMap(([field, name, type, help]) => {
    const lines = read.flatMap(({ id, stats }) => {
      const value = typeof stats[field] === 'boolean' ? Number(stats[field]) : stats[field];
      return typeof value === 'number' ? [`${name}{input="${id}"} ${value}`] : [];
    });
    return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
  });
}

/** What renditions cost: the ratio of the two is CPU seconds per media second. */
const transcodeFigures = [
  ['transcodeCpuSeconds', 'streams_transcode_cpu_seconds_total', 'CPU used by the ffmpeg of a live input.'],
  ['transcodeMediaSeconds', 'streams_transcode_media_seconds_total', 'Media of a live input that went through it.'],
  ['transcodeRestarts', 'streams_transcode_restarts_total', 'Times it died or hung and was replaced.'],
] as const;

function transcodeLines(live: readonly { id: string; ingest_stats: string | null }[]): string[] {
  const read = live.map(({ id, ingest_stats }) => ({ id, stats: JSON.parse(ingest_stats ?? '{}') }));
  return transcodeFigures.flatMap(([field, name, help]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} counter`,
    ...read
      .filter(({ stats }) => typeof stats[field] === 'number')
      .map(({ id, stats }) => `${name}{input="${id}"} ${stats[field]}`),
  ]);
}
