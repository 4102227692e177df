import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CONTROL_SOCKET } from '../../src/node/control-socket.ts';
import { requestUnix } from '../../src/transport/unix.ts';
import { freePort } from '../kit/ports.ts';
import type { Way } from './person.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = path.join(ROOT, 'bin/posthouse.js');

const HASHES = ['SHA-512', 'SHA-256', 'SHA-1'];
/** Mechanisms without channel binding. */
export const UNBOUND: readonly string[] = HASHES.map(hash => `SCRAM-${hash}`);
/** Mechanisms with channel binding and without. */
export const SCRAM: readonly string[] = [...UNBOUND.map(name => `${name}-PLUS`), ...UNBOUND];

/** The posthouse program in a process of its own, as an operator would start it. */
export class Server {
  readonly domain = 'localhost';
  readonly password = 'wherefore art thou';
  readonly folder: string;
  /** Listening ports: STARTTLS, direct TLS, HTTPS (WebSocket), HTTP. */
  readonly ports: { readonly xmpp: number; readonly xmpps: number; readonly https: number; readonly http: number };
  readonly #process: ChildProcess;
  readonly #output: string[] = [];
  readonly #added = new Set<string>();

  private constructor(folder: string, ports: Server['ports'], conf: string) {
    this.folder = folder;
    this.ports = ports;
    this.#process = spawn(process.execPath, [BIN, 'start', '--conf', conf, '--data', path.join(folder, 'data')], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): unknown => this.#output.push(chunk.toString());
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  /**
   * Starts it on free ports with data in a new folder, and waits until it listens. `mechanisms` for logins are those without PLAIN unless
   * others are given: a client that gets in has spoken SCRAM. `more` is added to the configuration.
   */
  static async start(options: { mechanisms?: readonly string[]; more?: string } = {}): Promise<Server> {
    const folder = await mkdtemp(path.join(tmpdir(), 'posthouse-clients-'));
    const ports = { xmpp: await freePort(), xmpps: await freePort(), https: await freePort(), http: await freePort() };
    const conf = path.join(folder, 'posthouse.yaml');
    await writeFile(
      conf,
      `hosts:
  localhost: {}
listeners:
  xmpp: { type: c2s, port: ${ports.xmpp}, addresses: [127.0.0.1] }
  xmpps: { type: c2s-tls, port: ${ports.xmpps}, addresses: [127.0.0.1] }
  https: { type: https, port: ${ports.https}, addresses: [127.0.0.1] }
  http: { type: http, port: ${ports.http}, addresses: [127.0.0.1] }
login: { mechanisms: [${(options.mechanisms ?? SCRAM).join(', ')}] }
${options.more ?? ''}`,
    );
    const server = new Server(folder, ports, conf);
    try {
      await Promise.all(Object.values(ports).map(port => server.#listening(port)));
    } catch (error) {
      server.#process.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return server;
  }

  async #listening(port: number): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (this.#process.exitCode !== null) break;
      const socket = connect(port, '127.0.0.1');
      const open = await new Promise<boolean>(resolve => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      socket.destroy();
      if (open) return;
      await pause(50);
    }
    throw new Error(`nobody listens on port ${port}; the server said:\n${this.output}`);
  }

  /** All that the server printed. */
  get output(): string {
    return this.#output.join('');
  }

  /** Its data folder. */
  get data(): string {
    return path.join(this.folder, 'data');
  }

  /** File of the certificate that it made for itself. */
  get certificate(): string {
    return path.join(this.data, 'certificates', `${this.domain}.crt`);
  }

  /** Runs `posthouse ARGS` on its data folder. @throws with what the command printed, when it fails */
  async command(args: readonly string[], input = ''): Promise<string> {
    const child = spawn(process.execPath, [BIN, '--data', this.data, ...args], { cwd: ROOT, stdio: 'pipe' });
    let said = '';
    child.stdout.on('data', chunk => (said += String(chunk)));
    child.stderr.on('data', chunk => (said += String(chunk)));
    child.stdin.on('error', () => undefined); // it need not read its input
    child.stdin.end(input);
    await once(child, 'close');
    assert.equal(child.exitCode, 0, `posthouse ${args.join(' ')}: ${said}`);
    return said;
  }

  /** Adds accounts of these names, all with the password `this.password`, and nothing of what they had before. */
  async add(...names: string[]): Promise<void> {
    for (const name of names) {
      const jid = `${name}@${this.domain}`;
      if (this.#added.has(jid)) await this.#ask('user.delete', { jid });
      await this.#ask('user.add', { jid, password: this.password });
      this.#added.add(jid);
    }
  }

  /** Asks what `posthouse` would ask: a process for each command would cost half a second. */
  #ask(command: string, args: object): Promise<unknown> {
    return requestUnix(path.join(this.data, CONTROL_SOCKET), { command, args });
  }

  /** Stops it as an operator would. @throws when it does not end in order */
  async stop(): Promise<void> {
    const ended = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#process.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
    assert.equal(
      this.#process.exitCode,
      0,
      `the server ended with ${this.#process.exitCode ?? this.#process.signalCode}:\n${this.output}`,
    );
  }
}

/** Where clients that come this way reach it. */
export function portOf(server: Server, way: Way): number {
  return {
    STARTTLS: server.ports.xmpp,
    'direct TLS': server.ports.xmpps,
    WebSocket: server.ports.https,
    // as a proxy on the same machine speaks it
    'WebSocket without TLS': server.ports.http,
    BOSH: server.ports.https,
    'BOSH without TLS': server.ports.http,
  }[way];
}

/** Lets the clients of this process check the certificate that the server made for itself, as if an authority had signed it. */
export async function trust(server: Pick<Server, 'certificate'>): Promise<void> {
  const own = await readFile(server.certificate, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('bundled'), own]);
}
