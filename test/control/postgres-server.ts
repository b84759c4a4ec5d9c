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
  const stop = async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGQUIT');
      await exited;
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const init = ['-D', data, '-U', 'streams', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(program('initdb'), init, { ...owner, cwd: dir });
    const settings = ['listen_addresses=', `unix_socket_directories=${dir}`, 'fsync=off', 'max_connections=100'];
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    let log = '';
    server = spawn(program('postgres'), args, { ...owner, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr?.on('data', (chunk) => {
      log += chunk;
    });
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
    for (const deadline = performance.now() + 30_000; ; ) {
      try {
        await query('select 1');
        break;
      } catch (error) {
        if (server.exitCode !== null || performance.now() > deadline)
          throw new Error(`no Postgres: ${log}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    return {
      async newDatabase() {
        const name = `streams_${randomBytes(6).toString('hex')}`;
        await query(`create database ${name}`);
        return url(name);
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
