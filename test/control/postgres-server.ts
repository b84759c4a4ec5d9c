import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

export type PostgresServer = AsyncDisposable & {
  /** URL of a new, empty database. */
  newDatabase(): Promise<string>;
  /** `fast` ends what is under way and rolls it back, `immediate` is a crash, `hang` lets nothing move until `start`. */
  stop(mode: 'fast' | 'immediate' | 'hang'): Promise<void>;
  /** After `stop`; resolves when it answers. */
  start(): Promise<void>;
};

/** Debian keeps the server's programs out of PATH. */
function program(name: string): string {
  const debian = '/usr/lib/postgresql';
  const folders = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : [];
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...folders.reverse()])
    if (existsSync(join(folder, name))) return join(folder, name);
  throw new Error(`${name} is missing: apt-get install -y postgresql`);
}

/** Postgres refuses to run as root: then it runs as the user that its package makes. */
function user(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

/** A Postgres of our own in a temporary folder, on a socket in it and no port. */
export async function startPostgres(): Promise<PostgresServer> {
  const { uid, gid } = user();
  const owner = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
  const dir = await mkdtemp(join(tmpdir(), 'streams-pg-'));
  await chmod(dir, 0o700);
  if (uid !== undefined && gid !== undefined) await chown(dir, uid, gid);
  const data = join(dir, 'data');
  let server: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGCONT');
    server.kill(signal);
    await exited;
  };
  const stop = async () => {
    await end('SIGQUIT');
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const init = ['-D', data, '-U', 'streams', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(program('initdb'), init, { ...owner, cwd: dir });
    const settings = ['listen_addresses=', `unix_socket_directories=${dir}`, 'fsync=off', 'max_connections=100'];
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const url = (database: string) => `postgresql://streams@/${database}?host=${encodeURIComponent(dir)}`;
    const query = async (sql: string) => {
      const client = new pg.Client({ connectionString: url('postgres') });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    };
    const begin = async () => {
      let log = '';
      const starting = spawn(program('postgres'), args, { ...owner, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
      server = starting;
      starting.stderr?.on('data', (chunk) => {
        log += chunk;
      });
      for (const deadline = performance.now() + 30_000; ; ) {
        try {
          await query('select 1');
          break;
        } catch (error) {
          if (starting.exitCode !== null || performance.now() > deadline)
            throw new Error(`no Postgres: ${log}`, { cause: error });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    await begin();
    /** The server and those that it made, which serve one connection each. */
    const eachProcess = async (signal: NodeJS.Signals) => {
      const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(server?.pid)]);
      for (const pid of [server?.pid, ...stdout.split('\n').map(Number)]) if (pid) process.kill(pid, signal);
    };
    return {
      async newDatabase() {
        const name = `streams_${randomBytes(6).toString('hex')}`;
        await query(`create database ${name}`);
        return url(name);
      },
      async stop(mode) {
        if (mode !== 'hang') return end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
        await eachProcess('SIGSTOP');
      },
      async start() {
        if (server?.exitCode === null && server.signalCode === null) await eachProcess('SIGCONT');
        else await begin();
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
