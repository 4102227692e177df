import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTROL_SOCKET } from '../../src/node/control-socket.ts';
import { requestUnix } from '../../src/transport/unix.ts';
import { TestClient } from '../kit/client.ts';
import { freePort } from '../kit/ports.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { until } from '../kit/wait.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BIN = path.join(ROOT, 'bin/posthouse.js');
const PATIENCE = 60_000; // ms

/** What a command said and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Standard input; closed at once without it. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs without these rights of root (capabilities(7)). */
  readonly without?: readonly string[];
}

/** Runs `posthouse ARGS` to its end. */
export async function posthouse(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { input = '', cwd = ROOT, env } = options;
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stderr.on('data', chunk => (err += String(chunk)));
  child.stdin.on('error', () => {}); // it need not read its input
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/** Runs several command lines that need no node one after the other in one process. */
export async function posthouseEach(lines: readonly (readonly string[])[]): Promise<Ended[]> {
  const script = `
    import { main } from ${JSON.stringify(new URL('../../src/cli/main.ts', import.meta.url).href)};
    const write = process.stdout.write.bind(process.stdout);
    const all = [];
    for (const line of ${JSON.stringify(lines)}) {
      const ended = { out: '', err: '' };
      process.stdout.write = text => ((ended.out += text), true);
      process.stderr.write = text => ((ended.err += text), true);
      ended.code = await main(line);
      all.push(ended);
    }
    write(JSON.stringify(all));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', chunk => (out += String(chunk)));
  await once(child, 'close');
  return JSON.parse(out) as Ended[];
}

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg?: string };

/** A node in a process of its own, as an operator starts it, on free ports and with data in a folder of its own. */
export class Operated {
  readonly folder: string;
  readonly conf: string;
  readonly ports: { readonly xmpp: number; readonly xmpps: number; readonly https: number; readonly http: number };
  private process!: ChildProcess;
  private stdout = '';
  private stderr = '';
  private readonly clients: TestClient[] = [];

  private constructor(ports: Operated['ports']) {
    this.folder = tempFolder();
    this.conf = path.join(this.folder, 'posthouse.yaml');
    this.ports = ports;
  }

  /** A node that is not started yet. Clients may log in without TLS. */
  static async prepare(yaml = ''): Promise<Operated> {
    const [xmpp, xmpps, https, http] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const node = new Operated({ xmpp, xmpps, https, http });
    node.configure(yaml);
    return node;
  }

  static async start(yaml = '', options: RunOptions = {}): Promise<Operated> {
    const node = await Operated.prepare(yaml);
    await node.start(options);
    return node;
  }

  /** Writes its configuration: `yaml` beside the listeners. */
  configure(yaml: string): void {
    const { xmpp, xmpps, https, http } = this.ports;
    const listeners = /^listeners:/m.test(yaml)
      ? ''
      : `listeners:
  xmpp: { port: ${xmpp}, addresses: [127.0.0.1], allowPlaintext: true }
  xmpps: { port: ${xmpps}, addresses: [127.0.0.1] }
  https: { port: ${https}, addresses: [127.0.0.1] }
  http: { port: ${http}, addresses: [127.0.0.1] }
`;
    writeFileSync(this.conf, listeners + yaml);
  }

  get data(): string {
    return path.join(this.folder, 'data');
  }

  /** Spawns it; `ready` waits until it serves. */
  spawn(options: RunOptions = {}, args: readonly string[] = ['--conf', this.conf, '--data', this.data]): void {
    const { cwd = this.folder, env, without = [] } = options;
    this.stdout = '';
    this.stderr = '';
    const command = [process.execPath, BIN, 'start', ...args];
    if (without.length > 0) command.unshift('setpriv', `--bounding-set=${without.map(name => `-${name}`).join(',')}`);
    this.process = spawn(command[0]!, command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout!.on('data', chunk => (this.stdout += String(chunk)));
    this.process.stderr!.on('data', chunk => (this.stderr += String(chunk)));
  }

  async start(options: RunOptions = {}, args?: readonly string[]): Promise<LogLine> {
    this.spawn(options, args);
    return this.logged('ready');
  }

  /** Runs `posthouse ARGS` on its data. */
  command(args: readonly string[], input?: string): Promise<Ended> {
    return posthouse(['--conf', this.conf, '--data', this.data, ...args], { input, cwd: this.folder });
  }

  /** The same; its standard output. @throws unless it ends with 0 */
  async done(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.command(args, input);
    assert.equal(code, 0, `posthouse ${args.join(' ')}: ${err}`);
    return out;
  }

  /** Adds accounts; the password of each is its name. A node that runs is asked as a command asks it, without a process for each. */
  async add(...names: readonly string[]): Promise<void> {
    const socket = path.join(this.data, CONTROL_SOCKET);
    for (const name of names) {
      if (this.process && this.running)
        await requestUnix(socket, { command: 'user.add', args: { jid: `${name}@localhost`, password: name } });
      else await this.done(['user', 'add', `${name}@localhost`], `${name}\n`);
    }
  }

  /** A connection without a stream yet. */
  async connect(): Promise<TestClient> {
    const client = await TestClient.connect(this.ports.xmpp);
    this.clients.push(client);
    return client;
  }

  async login(full: string): Promise<TestClient> {
    const client = await this.connect();
    await client.login(full);
    return client;
  }

  /** An answer of the HTTP listener of this machine. */
  async http(where: string): Promise<{ status: number; type: string; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}${where}`);
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      text: await response.text(),
    };
  }

  /** All that it printed. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** The lines of its log so far. */
  get log(): LogLine[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as LogLine);
  }

  /** Waits for a line of the log whose text holds this, after the first `from` lines; `patience` in milliseconds. */
  logged(text: string | RegExp, from = 0, patience = PATIENCE): Promise<LogLine> {
    const fits = ({ msg = '' }: LogLine): boolean => (typeof text === 'string' ? msg.includes(text) : text.test(msg));
    return until(
      () => {
        const line = this.log.slice(from).find(fits);
        assert(line ?? this.running, `it ended instead of logging '${text}':\n${this.output}`);
        return line;
      },
      () => `the log to say '${text}'; it says:\n${this.output}`,
      patience,
    );
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  get pid(): number {
    return this.process.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Waits for its end; the exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    await until(
      () => !this.running,
      () => `the end of the process; it said:\n${this.output}`,
      PATIENCE,
    );
    return this.process.exitCode ?? this.process.signalCode!;
  }

  /** Stops it as an operator would; the exit code. */
  async stop(): Promise<number | string> {
    for (const client of this.clients.splice(0)) client.destroy();
    this.signal('SIGTERM');
    return this.ended();
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }

  /** Ends it somehow and removes its data: what comes after each test. */
  async remove(): Promise<void> {
    for (const client of this.clients.splice(0)) client.destroy();
    if (this.process && this.running) await this.kill();
    removeTemp(this.folder);
  }
}
