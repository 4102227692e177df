import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { Operated } from '../operator/program.ts';
import { tempFolder } from '../kit/temp.ts';

const DATABASE = 'posthouse.sqlite';
/** ms that a start may take: the machine may have much to do besides. */
const PATIENCE = 90_000;

/** Open registration and nothing braked: who crashes and comes back does it many times a second. */
const YAML = `hosts: { localhost: {} }
limits: { bytesPerSecond: 0, stanzasPerSecond: 0, connectionsPerAddress: 0 }
login: { throttle: false }
`;

/** The program in a process of its own, which is killed and started again on the same data. */
export class CrashServer {
  readonly data: string;
  private readonly node: Operated;
  /** Kills so far. */
  kills = 0;
  /** What its process finds in its environment. */
  env: Readonly<Record<string, string>> = {};

  private constructor(node: Operated, data: string) {
    this.node = node;
    this.data = data;
  }

  /** One that is not started yet. `data`: another folder than one of its own. */
  static async prepare(options: { data?: string; modules?: string } = {}): Promise<CrashServer> {
    const node = await Operated.prepare();
    const server = new CrashServer(node, options.data ?? node.data);
    server.configure(options.modules ?? '');
    return server;
  }

  /** Lines of YAML below `modules:`. */
  configure(modules: string): void {
    this.node.configure(`${YAML}modules:\n  registration: { open: true, perAddress: 0 }\n${modules}`);
  }

  get port(): number {
    return this.node.ports.xmpp;
  }

  get pid(): number {
    return this.node.pid;
  }

  /** Spawns it without waiting for anything. */
  spawn(): void {
    this.node.spawn({ env: this.env }, ['--conf', this.node.conf, '--data', this.data]);
  }

  async start(): Promise<void> {
    this.spawn();
    await this.node.logged('ready', 0, PATIENCE);
  }

  logged(text: string | RegExp): Promise<unknown> {
    return this.node.logged(text);
  }

  get running(): boolean {
    return this.node.running;
  }

  /** The status of /ready. */
  async readiness(): Promise<number> {
    return (await this.node.http('/ready')).status;
  }

  /** Lines of the log that tell of trouble: warnings and worse. */
  get complaints(): string[] {
    return this.node.log.filter(({ level }) => level >= 40).map(line => JSON.stringify(line));
  }

  /** SIGKILL, at once; waits until the process is gone. */
  async kill(): Promise<void> {
    this.kills++;
    await this.node.kill();
  }

  stop(): Promise<number | string> {
    return this.node.stop();
  }

  remove(): Promise<void> {
    return this.node.remove();
  }

  get database(): string {
    return path.join(this.data, DATABASE);
  }

  get wal(): string {
    return `${this.database}-wal`;
  }

  /** A connection of another program to its database. */
  open(): Database.Database {
    return new Database(this.database);
  }

  /** What SQLite says of the database and its indices; of a node that is not running. */
  integrity(): string {
    const db = this.open();
    try {
      return db.pragma('integrity_check', { simple: true }) as string;
    } finally {
      db.close();
    }
  }

  /** A copy of the database as it lies there after a kill, with its log. */
  copy(): string {
    const folder = tempFolder();
    for (const suffix of ['', '-wal']) {
      const file = this.database + suffix;
      if (existsSync(file)) copyFileSync(file, path.join(folder, DATABASE + suffix));
    }
    return path.join(folder, DATABASE);
  }
}
