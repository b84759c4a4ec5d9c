import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Authoriser, Grant } from '../access/grant.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

export type SessionReportsOptions = {
  readonly controlUrl: string;
  readonly serviceToken: string;
  readonly logger: Logger;
  /** What the control plane knows this relay as. Default: the name of the machine. */
  readonly node?: string;
  /** How often sessions that go on are reported. Default 10 000. */
  readonly everyMs?: number;
};

/** A session as `POST /internal/analytics` takes it; times are milliseconds since the Unix epoch. */
type Report = {
  id: string;
  org: string;
  inputId: string;
  startedAt: number;
  endedAt: number | null;
  updatedAt: number;
  bytes: number;
  reason: string | null;
  viewer?: string;
  transport?: string;
};

const timeoutMs = 5000;
const maxBatch = 1000;
/** Ended sessions kept for a control plane that is away; the oldest go first. */
const maxWaiting = 20_000;

/** Tells the control plane of every session that its grants open: while it goes on, and once when it is over. */
export class SessionReports {
  readonly #options: SessionReportsOptions;
  readonly #open = new Map<string, Report>();
  #ended: Report[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #away = false;

  constructor(options: SessionReportsOptions) {
    this.#options = options;
  }

  /** The same decisions; sessions are reported. Requests over plain HTTP are none. */
  account(authoriser: Authoriser): Authoriser {
    return {
      authorise: async (request) => {
        const grant = await authoriser.authorise(request);
        return request.via === undefined ? grant : this.#accounted(grant, request.via);
      },
    };
  }

  #accounted(grant: Grant, transport: string): Grant {
    const [namespace] = grant.kind === 'publish' ? grant.publish : grant.subscribe;
    if (namespace === undefined || 'below' in namespace) return grant;
    const now = Date.now();
    const report: Report = {
      id: randomUUID(),
      org: namespace[1] ?? '',
      inputId: namespace.at(-1) ?? '',
      startedAt: now,
      endedAt: null,
      updatedAt: now,
      bytes: 0,
      reason: null,
      ...(grant.kind === 'playback' && { viewer: grant.viewer ?? '', transport }),
    };
    this.#open.set(report.id, report);
    this.#soon();
    return {
      ...grant,
      over: (how) => {
        grant.over?.(how);
        if (!this.#open.delete(report.id)) return;
        const endedAt = Date.now();
        const bytes = grant.kind === 'publish' ? how.bytesReceived : how.bytesSent;
        this.#ended.push({ ...report, endedAt, updatedAt: endedAt, bytes, reason: how.reason.slice(0, 200) });
        if (this.#ended.length > maxWaiting) this.#ended.shift();
        this.#soon();
      },
    };
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), 50);
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    const { logger, everyMs = 10_000 } = this.#options;
    const now = Date.now();
    const ended = this.#ended;
    this.#ended = [];
    const rows = [...ended, ...[...this.#open.values()].map((report) => ({ ...report, updatedAt: now }))];
    try {
      for (let i = 0; i < rows.length; i += maxBatch) await this.#post(rows.slice(i, i + maxBatch));
      if (this.#away) logger.info('sessions can be reported again');
      this.#away = false;
    } catch (error) {
      // Reported again with what has ended since: rows are known by their id.
      this.#ended = [...ended, ...this.#ended].slice(-maxWaiting);
      if (!this.#away) logger.warn('sessions cannot be reported', { reason: toStreamsError(error).message });
      this.#away = true;
    }
    this.#sending = false;
    if (this.#open.size === 0 && this.#ended.length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), this.#ended.length > 0 && !this.#away ? 50 : everyMs);
    this.#timer.unref();
  }

  async #post(rows: readonly Report[]): Promise<void> {
    const { controlUrl, serviceToken, node = hostname() } = this.#options;
    const response = await fetch(new URL('/internal/analytics', controlUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        node,
        broadcasts: rows.filter((row) => row.viewer === undefined),
        viewers: rows.filter((row) => row.viewer !== undefined),
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new StreamsError('API_UNREACHABLE', `status ${response.status}`);
  }
}
