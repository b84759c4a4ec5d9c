import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import type { ErrorMessage, FromChild, LogLine, ToChild } from './child-messages.ts';

export type ChildExit = {
  code: number | null;
  signal: NodeJS.Signals | null /** The end of stderr. */;
  lastLines: string[];
};

export type ChildCommand = {
  /** Module the child runs, and its arguments. */
  entry: string;
  args: readonly string[];
  /** Options of Node itself. */
  nodeOptions?: readonly string[];
  env: NodeJS.ProcessEnv;
  onLog(line: LogLine): void;
};

const keptLines = 20;

/** One child process and its IPC channel. It boots at once and waits for `configure`. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ready = deferred<unknown>();
  readonly #calls = new Map<number, Deferred<unknown>>();
  readonly #lastLines: string[] = [];
  #alive: Deferred<void> | undefined;
  #nextCall = 1;
  /** Settles once, never rejects. */
  readonly exited: Promise<ChildExit>;

  constructor({ entry, args, nodeOptions = [], env, onLog }: ChildCommand) {
    this.#process = spawn(process.execPath, [...nodeOptions, entry, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#ready.promise.catch(() => {});
    const exit = deferred<ChildExit>();
    this.exited = exit.promise;
    this.#process.on('message', (message) => this.#receive(message as FromChild));
    // `close`, not `exit`: the last lines of stderr are in by then.
    this.#process.on('close', (code, signal) => this.#end(exit, code, signal));
    this.#process.on('error', (error) => {
      this.#keep(error.message);
      if (this.#process.pid === undefined) this.#end(exit, null, null);
    });
    eachLine(this.#process.stdout, (line) => onLog(logLine(line, 'info')));
    eachLine(this.#process.stderr, (line) => {
      this.#keep(line);
      onLog(logLine(line, 'error'));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves with what the child says once it serves; rejects with its fatal error, or CHILD_DIED. */
  configure(config: unknown): Promise<unknown> {
    this.#send({ type: 'config', config });
    return this.#ready.promise;
  }

  /** Rejects with the child's error, or CHILD_DIED. */
  call(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextCall++;
    const answer = deferred<unknown>();
    this.#calls.set(id, answer);
    this.#send({ type: 'call', id, method, params });
    return answer.promise;
  }

  /** Resolves when its event loop has turned; stays pending when it never does. */
  alive(): Promise<void> {
    if (this.#alive === undefined) {
      this.#alive = deferred();
      this.#send({ type: 'alive' });
    }
    return this.#alive.promise;
  }

  /** Asks it to stop; after `deadlineMs` it is killed. */
  async stop(deadlineMs: number): Promise<ChildExit> {
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => this.kill(), deadlineMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send(message: ToChild): void {
    // A channel that has just closed is told by `close`.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #receive(message: FromChild): void {
    if (message.type === 'ready') this.#ready.resolve(message.ready);
    else if (message.type === 'fatal') this.#ready.reject(errorOf(message.error));
    else if (message.type === 'alive') {
      this.#alive?.resolve();
      this.#alive = undefined;
    } else {
      const call = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (message.error !== undefined) call?.reject(errorOf(message.error));
      else call?.resolve(message.value);
    }
  }

  #keep(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
  }

  #end(exit: Deferred<ChildExit>, code: number | null, signal: NodeJS.Signals | null): void {
    const died = new StreamsError('CHILD_DIED', `it ended with ${signal ?? `exit code ${code}`}`, {
      cause: this.#lastLines.join('\n'),
    });
    this.#ready.reject(died);
    for (const call of this.#calls.values()) call.reject(died);
    this.#calls.clear();
    exit.resolve({ code, signal, lastLines: this.#lastLines });
  }
}

function eachLine(stream: Readable | null, use: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', use);
}

function errorOf({ code, message, hint }: ErrorMessage): StreamsError {
  return new StreamsError(code, message, hint === undefined ? {} : { hint });
}

/** The JSON of our logger, or any other text (a crash, a warning of Node) as one message. */
function logLine(line: string, level: string): LogLine {
  if (line.startsWith('{')) {
    try {
      const fields = JSON.parse(line) as Partial<LogLine>;
      return { ...fields, level: fields.level ?? level, message: fields.message ?? '' };
    } catch {}
  }
  return { level, message: line };
}
