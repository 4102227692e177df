import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = path.join(ROOT, 'bin/posthouse.js');
const CONF = fileURLToPath(new URL('posthouse.yaml', import.meta.url));

/** The program in a process of its own, as an operator starts it, with test/interop/posthouse.yaml. */
export class Server {
  readonly data: string;
  private readonly child: ChildProcess;
  private text = '';

  private constructor(data: string) {
    this.data = data;
    this.child = spawn(process.execPath, [BIN, 'start', '--conf', CONF, '--data', data], { cwd: ROOT, stdio: 'pipe' });
    this.child.stdin?.end();
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    }
    process.once('exit', this.kill);
  }

  private readonly kill = (): void => void this.child.kill('SIGKILL');

  /** Adds an account to a data folder on which no node runs. */
  static addUser(data: string, jid: string, password: string): void {
    const { status, stderr } = spawnSync(process.execPath, [BIN, '--conf', CONF, '--data', data, 'user', 'add', jid], {
      cwd: ROOT,
      input: `${password}\n`,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`posthouse user add: ${stderr}`);
  }

  /** Starts it, and waits until it listens. @throws with what it printed when it does not */
  static async start(data: string, host: string, port: number): Promise<Server> {
    const server = new Server(data);
    for (let tries = 0; tries < 400 && server.running; tries++) {
      // another program on the port ends ours before this is asked: then `running` is false
      if (server.text.includes('"ready"') && (await answers(host, port))) return server;
      await pause(50);
    }
    server.kill();
    throw new Error(`the server does not listen on ${host}:${port}:\n${server.text}`);
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** All that it printed. */
  get log(): string {
    return this.text;
  }

  /** Lines of the log that tell of trouble: warnings and worse. */
  get complaints(): string[] {
    return this.text.split('\n').filter(line => /"level":[456]0/.test(line) || (line !== '' && !line.startsWith('{')));
  }

  /** Ends it in order. @throws when it was gone already, or does not end well */
  async stop(): Promise<void> {
    process.off('exit', this.kill);
    if (!this.running) throw new Error(`the server ended by itself:\n${this.text}`);
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    if (this.child.exitCode !== 0) throw new Error(`the server ended with ${this.child.exitCode}:\n${this.text}`);
  }
}

async function answers(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  const open = await new Promise<boolean>(resolve => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}
