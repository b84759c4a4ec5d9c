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
    const lines = [
      '# HELP streams_control_http_requests_total HTTP requests answered.',
      '# TYPE streams_control_http_requests_total counter',
      ...metrics.lines(),
      '# HELP streams_live_inputs Live inputs by status.',
      '# TYPE streams_live_inputs gauge',
      ...inputs.map((row) => `streams_live_inputs{status="${row.status}"} ${Number(row.count)}`),
      '# HELP process_resident_memory_bytes Resident memory of the control process.',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ];
    return c.text(`${lines.join('\n')}\n`, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}
