import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Need } from './needs.ts';
import { freePort } from './ports.ts';
import { StunClient } from './stun.ts';
import { removeTemp, tempFolder } from './temp.ts';
import { until } from './wait.ts';

export const COTURN: Need = { command: 'turnserver', why: 'the apt package coturn, for calls through a relay' };

/** coturn on a free loopback port, for UDP and TCP, which shares a secret with whoever makes credentials. */
export class TurnServer {
  readonly port: number;
  private readonly process: ChildProcess;
  private readonly folder: string;

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port;
    this.process = child;
    this.folder = folder;
  }

  static async start(secret: string): Promise<TurnServer> {
    const port = await freePort();
    const folder = tempFolder();
    const child = spawn(
      'turnserver',
      [
        // no file of the system's
        ...['-c', path.join(folder, 'none.conf'), '--userdb', path.join(folder, 'users')],
        ...['--pidfile', path.join(folder, 'pid'), '--log-file', 'stdout', '--simple-log'],
        ...['--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--listening-port', String(port)],
        ...['--use-auth-secret', '--static-auth-secret', secret, '--realm', 'turn.example.org'],
        ...['--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers', '--relay-threads', '1'],
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const out of [child.stdout, child.stderr]) out.on('data', (text: Buffer) => (said += text.toString()));
    const server = new TurnServer(port, child, folder);
    const answers = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`turnserver does not start:\n${said.slice(-2000)}`);
      const client = await StunClient.open({ host: '127.0.0.1', port }, 'tcp').catch(() => undefined);
      client?.close();
      return client !== undefined;
    };
    try {
      await until(answers, () => `turnserver:\n${said.slice(-2000)}`, 20_000);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await gone;
    }
    removeTemp(this.folder);
  }
}
