import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Authoriser, Grant, SessionFigures } from '../../access/grant.ts';
import { ControlClient } from '../../contract/client.ts';
import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ReportSpool } from './report-spool.ts';
import { type SessionReport, sendReports } from './send-reports.ts';

export type SessionReportsOptions = {
  readonly controlUrl: string;
  readonly serviceToken: string;
  readonly logger: Logger;
  /** What is not reported yet is kept in `analytics` below it. */
  readonly dataDir: string;
  /** What the control plane knows this relay as. Default: the name of the machine. */
  readonly node?: string;
  /** How often sessions that go on are reported, and noted down. Default 10 000. */
  readonly everyMs?: number;
};

type Open = { readonly report: SessionReport; readonly figures: () => SessionFigures; reportedAt: number };

/** After a change, so that those which come together go together. */
const soonMs = 50;
/** Rows in one request, and noted down in one go: other things have their turn in between. */
const batch = 250;
/** Rows kept while the disk takes none. */
const maxUnsaved = 20_000;
const closeMs = 500;

/** What a session's row says when its relay was killed. */
const relayDied = 'relay_died';

/**
 * Tells the control plane of every session that its grants open: while it goes on, and once when it is over. What the control
 * plane has not taken waits on disk, also over a restart; sessions that were open when the relay died are reported at its
 * next start, as they were when last noted down.
 */
export class SessionReports {
  readonly #options: SessionReportsOptions;
  readonly #control: ControlClient;
  readonly #spool: ReportSpool<SessionReport>;
  readonly #open = new Map<string, Open>();
  /** Opened since the last report. */
  readonly #news = new Set<string>();
  #unsavedOpen: SessionReport[] = [];
  #unsavedEnded: SessionReport[] = [];
  #recovered = false;
  /** The file of open sessions says that there is none. */
  #notedNone = false;
  #saving: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #allDueAt: number;
  #diskFails = false;
  #away = false;
  #closed = false;

  constructor(options: SessionReportsOptions) {
    this.#options = options;
    this.#control = new ControlClient(options);
    this.#spool = new ReportSpool({ dir: join(options.dataDir, 'analytics') });
    this.#allDueAt = performance.now() + this.#everyMs;
    this.#saving = this.#save();
    this.#wake(soonMs);
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

  /** Notes down all there is, and tries once more to send it. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#saveSoon();
    await this.#saving;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    await Promise.race([(this.#sending ?? Promise.resolve()).then(() => this.#sendEnded()).catch(() => {}), late]);
    clearTimeout(timer);
  }

  get #everyMs(): number {
    return this.#options.everyMs ?? 10_000;
  }

  #accounted(grant: Grant, via: string): Grant {
    const [namespace] = grant.kind === 'publish' ? grant.publish : grant.subscribe;
    if (namespace === undefined || 'below' in namespace) return grant;
    let id: string | undefined;
    return {
      ...grant,
      opened: (session) => {
        grant.opened?.(session);
        const now = Date.now();
        const report: SessionReport = {
          id: randomUUID(),
          org: (namespace[1] ?? '').slice(0, 64),
          inputId: (namespace.at(-1) ?? '').slice(0, 64),
          transport: via === 'qmux' ? 'websocket' : via,
          version: session.version,
          startedAt: now,
          endedAt: null,
          updatedAt: now,
          bytes: 0,
          objects: 0,
          reason: null,
          ...(grant.kind === 'playback' && {
            viewer: (grant.viewer ?? '').slice(0, 128),
            startupMs: null,
            dropped: 0,
            groupsDropped: 0,
          }),
        };
        id = report.id;
        this.#open.set(id, { report, figures: () => session.figures(), reportedAt: now });
        this.#news.add(id);
        this.#unsavedOpen.push(report);
        this.#changed();
      },
      over: (how) => {
        grant.over?.(how);
        const open = id === undefined ? undefined : this.#open.get(id);
        if (open === undefined) return;
        this.#open.delete(open.report.id);
        this.#news.delete(open.report.id);
        const endedAt = Date.now();
        this.#unsavedEnded.push({
          ...withFigures(open.report, how),
          endedAt,
          updatedAt: Math.max(endedAt, open.reportedAt + 1),
          reason: how.reason.slice(0, 200),
        });
        this.#changed();
      },
    };
  }

  #changed(): void {
    this.#saveSoon();
    if (!this.#away) this.#wake(soonMs);
  }

  #saveSoon(): void {
    this.#saving ??= this.#save();
  }

  /** Until nothing is left to note down; never rejects. */
  async #save(): Promise<void> {
    // What comes in the same turn of the event loop is one write.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      if (!this.#recovered) await this.#recover();
      while (this.#unsavedOpen.length > 0 || this.#unsavedEnded.length > 0) {
        // That a session opened is always said before that it ended.
        while (this.#unsavedOpen.length > 0) await this.#spool.opened(this.#unsavedOpen.splice(0, batch));
        await this.#takingEnded((rows) => this.#spool.ended(rows));
      }
      const dropped = this.#spool.takeDropped();
      if (dropped > 0)
        this.#options.logger.warn('reports of sessions were thrown away: too many wait', { bytes: dropped });
      this.#diskFails = false;
    } catch (error) {
      const reason = toStreamsError(error).message;
      if (!this.#diskFails) this.#options.logger.warn('reports of sessions cannot be kept on disk', { reason });
      this.#diskFails = true;
      this.#unsavedOpen = [];
    }
    this.#saving = undefined;
  }

  async #recover(): Promise<void> {
    const now = Date.now();
    const lost = await this.#spool.recover();
    const ended = lost.map((row) => ({ ...row, endedAt: row.updatedAt, updatedAt: now, reason: relayDied }));
    for (let i = 0; i < ended.length; i += batch) await this.#spool.ended(ended.slice(i, i + batch));
    this.#recovered = true;
  }

  #wake(inMs: number): void {
    const at = performance.now() + inMs;
    if (this.#closed || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#sending ??= this.#send().finally(() => {
        this.#sending = undefined;
      });
    }, inMs);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    const { logger } = this.#options;
    const all = performance.now() >= this.#allDueAt;
    if (all) this.#allDueAt = performance.now() + this.#everyMs;
    try {
      if (all) await this.#noteOpen();
      if (this.#unsavedEnded.length > 0) this.#saveSoon();
      await this.#saving;
      for (const rows of this.#openRows(all)) await sendReports(this.#control, this.#node, rows);
      await this.#sendEnded();
      if (this.#away) logger.info('sessions can be reported again');
      this.#away = false;
    } catch (error) {
      if (!this.#away) logger.warn('sessions cannot be reported', { reason: toStreamsError(error).message });
      this.#away = true;
    }
    const changed = this.#news.size > 0 || this.#unsavedEnded.length > 0;
    this.#wake(changed && !this.#away ? soonMs : Math.max(soonMs, this.#allDueAt - performance.now()));
  }

  get #node(): string {
    return this.#options.node ?? hostname();
  }

  async #noteOpen(): Promise<void> {
    if (this.#open.size === 0 && this.#notedNone) return;
    this.#notedNone = this.#open.size === 0;
    try {
      await this.#spool.replaceOpen(() => this.#openRows(true));
    } catch {
      // Said when rows that matter more cannot be kept.
    }
  }

  async #sendEnded(): Promise<void> {
    for (let file = await this.#spool.oldest(); file !== undefined; file = await this.#spool.oldest()) {
      for (let i = 0; i < file.rows.length; i += batch) {
        const refused = await sendReports(this.#control, this.#node, file.rows.slice(i, i + batch));
        if (refused > 0)
          this.#options.logger.warn('the control plane does not take reports of sessions', { rows: refused });
      }
      await file.taken();
    }
    if (!this.#diskFails) return;
    while (this.#unsavedEnded.length > 0)
      await this.#takingEnded((rows) => sendReports(this.#control, this.#node, rows));
  }

  /** Some of the rows that are nowhere but here; they stay when `take` rejects. */
  async #takingEnded(take: (rows: SessionReport[]) => Promise<unknown>): Promise<void> {
    const rows = this.#unsavedEnded.splice(0, batch);
    try {
      await take(rows);
    } catch (error) {
      this.#unsavedEnded = [...rows, ...this.#unsavedEnded].slice(-maxUnsaved);
      throw error;
    }
  }

  /** In batches, each made when it is asked for. */
  *#openRows(all: boolean): Generator<SessionReport[]> {
    const ids = all ? [...this.#open.keys()] : [...this.#news];
    this.#news.clear();
    for (let i = 0; i < ids.length; i += batch) {
      const now = Date.now();
      yield ids.slice(i, i + batch).flatMap((id) => {
        const open = this.#open.get(id);
        if (open === undefined) return [];
        open.reportedAt = now;
        return [{ ...withFigures(open.report, open.figures()), updatedAt: now }];
      });
    }
  }
}

function withFigures(report: SessionReport, figures: SessionFigures): SessionReport {
  const { bytesSent, bytesReceived, objectsSent, objectsReceived, objectsDropped, groupsDropped, joinMs } = figures;
  if (report.viewer === undefined) return { ...report, bytes: bytesReceived, objects: objectsReceived };
  return {
    ...report,
    bytes: bytesSent,
    objects: objectsSent,
    startupMs: joinMs ?? null,
    dropped: objectsDropped,
    groupsDropped,
  };
}
