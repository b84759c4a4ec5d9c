import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One line of a file; `id` is the same in every report of a session. `updatedAt`: of its figures, ms since the Unix epoch. */
export type SpooledRow = { readonly id: string; readonly updatedAt?: number };

/** In the file of what is open: this session has ended. */
type Ended = { readonly id: string; readonly over: true };

export type ReportSpoolOptions = {
  /** Made when it is not there. One process at a time. */
  readonly dir: string;
  /** Of rows that wait; the oldest files go first. Default 32 MiB. */
  readonly maxBytes?: number;
  /** A file that has more is followed by a new one. Default 1 MiB. */
  readonly fileBytes?: number;
};

type WaitingFile = { readonly name: string; bytes: number };

const openFile = 'open.ndjson';
const waitingFile = /^ended-(\d{1,15})\.ndjson$/;

/**
 * Rows on disk until somebody has taken them, as lines of JSON that are only ever appended: a process that is killed leaves at
 * most its last line torn, and nobody writes behind a torn line. Beside what has ended it keeps what was open, for the
 * next start. Calls are carried out one after the other, whatever the caller awaits.
 */
export class ReportSpool<Row extends SpooledRow> {
  readonly #options: Required<ReportSpoolOptions>;
  /** Oldest first; the last one may still grow. */
  readonly #waiting: WaitingFile[] = [];
  #grows = false;
  #next = 1;
  #droppedBytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ dir, maxBytes = 32 << 20, fileBytes = 1 << 20 }: ReportSpoolOptions) {
    this.#options = { dir, maxBytes, fileBytes };
  }

  /** Takes up what an earlier process left: its ended rows wait to be sent. Returns those it had open. Throws what the disk says. */
  recover(): Promise<Row[]> {
    return this.#inTurn(async () => {
      const { dir } = this.#options;
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const found = (await readdir(dir)).flatMap((name) => {
        const number = waitingFile.exec(name)?.[1];
        return number === undefined ? [] : [{ name, number: Number(number) }];
      });
      const ended = new Set<string>();
      for (const { name, number } of found.sort((a, b) => a.number - b.number)) {
        const text = await this.#read(name);
        for (const { id } of rowsOf<Row>(text)) ended.add(id);
        this.#waiting.push({ name, bytes: text.length });
        this.#next = number + 1;
      }
      const open = new Map<string, Row>();
      for (const row of rowsOf<Row | Ended>(await this.#read(openFile))) {
        if ('over' in row || ended.has(row.id)) open.delete(row.id);
        // A session's opening row may be written after one with figures: it waited while all that are open were noted down.
        else if ((row.updatedAt ?? 0) >= (open.get(row.id)?.updatedAt ?? 0)) open.set(row.id, row);
      }
      // Nothing is ever written behind a torn line.
      await this.#replaceOpen([[...open.values()]]);
      return [...open.values()];
    });
  }

  /** Rows that are final. */
  ended(rows: readonly Row[]): Promise<void> {
    return this.#inTurn(async () => {
      if (rows.length === 0) return;
      const { dir, maxBytes, fileBytes } = this.#options;
      let file = this.#waiting.at(-1);
      if (!this.#grows || file === undefined || file.bytes >= fileBytes) {
        file = { name: `ended-${this.#next++}.ndjson`, bytes: 0 };
        this.#waiting.push(file);
        this.#grows = true;
      }
      const text = linesOf(rows);
      await appendFile(join(dir, file.name), text, { mode: 0o600 });
      file.bytes += text.length;
      await appendFile(join(dir, openFile), linesOf(rows.map(({ id }): Ended => ({ id, over: true }))), {
        mode: 0o600,
      });
      let sum = this.#waiting.reduce((bytes, each) => bytes + each.bytes, 0);
      while (sum > maxBytes && this.#waiting.length > 1) {
        const oldest = this.#waiting.shift()!;
        await rm(join(dir, oldest.name), { force: true });
        sum -= oldest.bytes;
        this.#droppedBytes += oldest.bytes;
      }
    });
  }

  /** Bytes thrown away for want of room since this was asked last. */
  takeDropped(): number {
    const dropped = this.#droppedBytes;
    this.#droppedBytes = 0;
    return dropped;
  }

  /** Rows of sessions that have just opened. */
  opened(rows: readonly Row[]): Promise<void> {
    return this.#inTurn(async () => {
      if (rows.length > 0) await appendFile(join(this.#options.dir, openFile), linesOf(rows), { mode: 0o600 });
    });
  }

  /** All that are open, in place of what was said of them before. Asked when its turn comes. */
  replaceOpen(rows: () => Iterable<readonly Row[]>): Promise<void> {
    return this.#inTurn(() => this.#replaceOpen(rows()));
  }

  /** The oldest file's rows; undefined: nothing waits. */
  oldest(): Promise<{ readonly rows: readonly Row[]; taken(): Promise<void> } | undefined> {
    return this.#inTurn(async () => {
      const [file] = this.#waiting;
      if (file === undefined) return undefined;
      // What is being sent no longer grows.
      if (this.#waiting.length === 1) this.#grows = false;
      const taken = (): Promise<void> =>
        this.#inTurn(async () => {
          const at = this.#waiting.indexOf(file);
          if (at >= 0) this.#waiting.splice(at, 1);
          await rm(join(this.#options.dir, file.name), { force: true });
        });
      return { rows: rowsOf<Row>(await this.#read(file.name)), taken };
    });
  }

  async #replaceOpen(rows: Iterable<readonly Row[]>): Promise<void> {
    const path = join(this.#options.dir, openFile);
    const next = `${path}.new`;
    await writeFile(next, '', { mode: 0o600 });
    for (const some of rows) await appendFile(next, linesOf(some));
    await rename(next, path);
  }

  async #read(name: string): Promise<string> {
    return readFile(join(this.#options.dir, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function linesOf(rows: readonly SpooledRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A line that is torn, or was written by somebody else, is passed over. */
function rowsOf<Row extends SpooledRow>(text: string): Row[] {
  return text.split('\n').flatMap((line) => {
    try {
      const row = JSON.parse(line) as Row | null;
      return typeof row?.id === 'string' ? [row] : [];
    } catch {
      return [];
    }
  });
}
