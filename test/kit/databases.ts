/*
 * Real database servers on trial: each on a free loopback port with its data in a temporary folder, stopped by whoever started it.
 * MariaDB stands in for MySQL, which no registry here has.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import knex, { type Knex } from 'knex';
import { tablesOf } from '../../src/storage/tables.ts';
import { lacks, type Need } from './needs.ts';
import { freePort } from './ports.ts';
import { until } from './wait.ts';

export type Kind = 'mysql' | 'postgres';
export const KINDS: readonly Kind[] = ['mysql', 'postgres'];

const FOR = 'the apt package of the same name, for tests of what stands behind `storage: `';

/** What a test on that database needs: `needs(this, NEEDED.mysql)`. */
export const NEEDED: Readonly<Record<Kind, Need>> = {
  mysql: {
    module: 'mysql2',
    command: '/usr/sbin/mariadbd',
    why: FOR.replace('the same name', 'the name mariadb-server'),
  },
  postgres: { module: 'pg', command: program('postgres'), why: FOR.replace('the same name', 'the name postgresql') },
};

type Row = Readonly<Record<string, unknown>>;

/** What the tables of a database are for that has none. */
const NOTHING = '';

/** How PostgreSQL runs here: for nobody else, with nothing to lose, and with no memory that stays behind when it is killed. */
const POSTGRES = { listen_addresses: '127.0.0.1', fsync: 'off', dynamic_shared_memory_type: 'mmap', autovacuum: 'off' };

/** Debian keeps PostgreSQL's programs apart from the path, by version. */
function program(name: string): string {
  const root = '/usr/lib/postgresql';
  const newest = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a))[0] : undefined;
  return newest === undefined ? name : path.join(root, newest, 'bin', name);
}

/** A server with an administrator 'root' who needs no password. */
export class DatabaseServer {
  readonly kind: Kind;
  readonly port: number;
  private readonly folder: string;
  private readonly options: readonly string[];
  private process: ChildProcess | undefined;
  private said = '';
  private databases = 0;
  private readonly lent: { readonly tables: string; readonly url: string }[] = [];
  /** Those that were given back, by what their tables are for. */
  private readonly free = new Map<string, string[]>();
  /** What tables began with, by database; and of which modules that is known. */
  private readonly first = new Map<string, ReadonlyMap<string, readonly Row[]>>();
  private readonly remembered = new Set<string>();

  private constructor(kind: Kind, port: number, options: readonly string[]) {
    this.kind = kind;
    this.port = port;
    this.options = options;
    this.folder = mkdtempSync(path.join(tmpdir(), `posthouse-${kind}-`));
  }

  /** `options`: further ones of its program, which go before those that tests have. */
  static async start(kind: Kind, options: readonly string[] = []): Promise<DatabaseServer> {
    const server = new DatabaseServer(kind, await freePort(), options);
    try {
      server.install();
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** The address of a database; without a name, of the server's own. */
  url(database = this.kind === 'mysql' ? 'mysql' : 'postgres', user = 'root', password = ''): string {
    return `${this.kind}://${user}${password && `:${password}`}@127.0.0.1:${this.port}/${database}`;
  }

  /** A database of its own for somebody; its address. */
  async database(): Promise<string> {
    const name = `test_${process.pid}_${++this.databases}`;
    await administer(this.url(), [`CREATE DATABASE ${name}`]);
    return this.url(name);
  }

  /** The same, from those that were given back, if there is one; it is empty. */
  async emptyDatabase(): Promise<string> {
    const url = this.free.get(NOTHING)?.pop();
    if (url === undefined) return this.lend(NOTHING, await this.database());
    const name = new URL(url).pathname.slice(1);
    // a database of its own for each would cost PostgreSQL a copy of 300 files
    if (this.kind === 'postgres') await administer(url, ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public']);
    else await administer(this.url(), [`DROP DATABASE ${name}`, `CREATE DATABASE ${name}`]);
    return this.lend(NOTHING, url);
  }

  /**
   * A database for tests that all make the same tables: one that was given back by one of them, if there is one, with the rows that it had
   * when these were made (`remember`). To make tables costs more than most tests do.
   */
  async databaseOf(tables: string): Promise<string> {
    const url = this.free.get(tables)?.pop();
    if (url !== undefined) await takeRows(this.kind, url, this.first.get(url) ?? new Map());
    return this.lend(tables, url ?? (await this.database()));
  }

  /** Tables were made in a database of `databaseOf`, if they were not there: what they begin with is to be so again. */
  async remember(url: string, module: string): Promise<void> {
    const key = `${url} ${module}`;
    if (this.remembered.has(key)) return;
    this.remembered.add(key);
    const admin = connect(url);
    try {
      const rows = new Map<string, readonly Row[]>();
      for (const name of await tablesOf(admin, this.kind)) rows.set(name, (await admin(name)) as Row[]);
      this.first.set(url, rows);
    } finally {
      await admin.destroy();
    }
  }

  private lend(tables: string, url: string): string {
    this.lent.push({ tables, url });
    return url;
  }

  /** After a test: what it was given is closed, and free for the next. */
  takeBack(): void {
    for (const { tables, url } of this.lent.splice(0)) this.free.set(tables, [...(this.free.get(tables) ?? []), url]);
  }

  /** Begins it again, after `halt`, with what it has kept. */
  async run(): Promise<void> {
    const { kind, folder, port } = this;
    const data = path.join(folder, 'data');
    const [command, args] =
      kind === 'mysql'
        ? [
            '/usr/sbin/mariadbd',
            [
              '--no-defaults',
              `--datadir=${data}`,
              `--socket=${folder}/socket`,
              `--pid-file=${folder}/pid`,
              `--port=${port}`,
              '--bind-address=127.0.0.1',
              '--innodb-flush-log-at-trx-commit=0',
              '--innodb-buffer-pool-size=64M',
              '--innodb-log-file-size=16M',
              '--performance-schema=OFF',
              '--skip-name-resolve',
              // as MySQL 5.7 has it
              '--character-set-server=latin1',
              '--max-allowed-packet=4M',
            ],
          ]
        : [
            program('postgres'),
            [
              ...['-D', data, '-p', String(port), '-k', folder],
              ...Object.entries(POSTGRES).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
            ],
          ];
    const child = spawn(command as string, [...(args as string[]), ...this.options], {
      ...user(kind),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const out of [child.stdout, child.stderr]) out.on('data', (text: Buffer) => (this.said += text.toString()));
    this.process = child;
    for (let tries = 0; ; tries++) {
      try {
        await administer(this.url(), ['SELECT 1']);
        return;
      } catch (error) {
        if (child.exitCode !== null || tries > 300)
          throw new Error(`${kind} does not start:\n${this.said.slice(-2000)}`, { cause: error });
        await delay(50);
      }
    }
  }

  /** Stops it, and keeps its data. 'SIGKILL' pulls the plug. */
  async halt(signal: NodeJS.Signals = this.kind === 'postgres' ? 'SIGINT' : 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Keeps it from answering, or lets it go on: as a network that swallows everything. */
  async freeze(frozen: boolean): Promise<void> {
    const { process: server } = this;
    server?.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
    if (!server || !frozen) return;
    // a thread that runs goes on until the system comes to it
    const tasks = `/proc/${server.pid}/task`;
    const isStill = (task: string): boolean => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'));
    await until(() => readdirSync(tasks).every(isStill), 'the database to stand still');
  }

  async stop(): Promise<void> {
    // where PostgreSQL's first process is killed, the others live on for a while
    await this.halt(this.kind === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private install(): void {
    const { kind, folder } = this;
    const as = user(kind);
    if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
    const data = path.join(folder, 'data');
    const [command, args] =
      kind === 'mysql'
        ? [
            'mariadb-install-db',
            [
              '--no-defaults',
              `--datadir=${data}`,
              // two at once would meet in the system's
              `--tmpdir=${folder}`,
              '--auth-root-authentication-method=normal',
              '--skip-test-db',
            ],
          ]
        : [program('initdb'), ['-D', data, '-U', 'root', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8']];
    const done = spawnSync(command as string, args as string[], { ...as, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${command} failed: ${done.stdout}${done.stderr}`);
  }
}

/** Neither server runs as root. */
function user(kind: Kind): { uid?: number; gid?: number; cwd: string } {
  if (process.getuid?.() !== 0) return { cwd: tmpdir() };
  const name = kind === 'mysql' ? 'mysql' : 'postgres';
  const id = (option: string): number => Number(spawnSync('id', [option, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g'), cwd: tmpdir() };
}

function connect(url: string): Knex {
  return knex({
    client: url.startsWith('mysql') ? 'mysql2' : 'pg',
    connection: url,
    pool: { min: 0, max: 1 },
    log: { warn() {}, error() {} },
  });
}

/** Runs statements as the administrator. */
export async function administer(url: string, statements: readonly string[]): Promise<unknown[]> {
  const admin = connect(url);
  try {
    const results: unknown[] = [];
    for (const statement of statements) results.push(await admin.raw(statement));
    return results;
  } finally {
    await admin.destroy();
  }
}

/** Makes the rows of all tables what they were first. */
async function takeRows(kind: Kind, url: string, first: ReadonlyMap<string, readonly Row[]>): Promise<void> {
  const admin = connect(url);
  try {
    const tables = (await tablesOf(admin, kind)).filter(name => name !== 'posthouse_migrations');
    for (const name of tables) await admin(name).delete();
    for (const name of tables) {
      const rows = first.get(name) ?? [];
      if (rows.length > 0) await admin(name).insert(rows);
    }
  } finally {
    await admin.destroy();
  }
}

/** What keeps a machine from running this database, if anything. */
export function lacksDatabase(kind: Kind): string | undefined {
  return lacks(NEEDED[kind]);
}
