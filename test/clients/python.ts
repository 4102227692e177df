import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PYTHON } from '../kit/needs.ts';
import { type Contact, type Login, Mailbox, type Message, type Person, type Presence } from './person.ts';

const SCRIPT = fileURLToPath(new URL('slixmpp_clients.py', import.meta.url));

interface Line {
  readonly id?: number;
  readonly client?: string;
  readonly event?: string;
  readonly about?: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

/** A Python program in which clients of slixmpp live: test/clients/slixmpp_clients.py. */
export class PythonClients {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #people = new Map<string, SlixmppClient>();
  #count = 0;
  #said = '';

  private constructor() {
    this.#child = spawn(PYTHON, [SCRIPT], { stdio: 'pipe' });
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.#said += chunk));
    this.#child.stdin.on('error', () => undefined); // seen as its end
    createInterface({ input: this.#child.stdout }).on('line', line => this.#hear(JSON.parse(line) as Line));
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`slixmpp_clients.py ended:\n${this.#said}`));
      this.#waiting.clear();
    });
  }

  static async start(): Promise<PythonClients> {
    const clients = new PythonClients();
    const process = clients.#child;
    await Promise.race([once(process.stdout, 'data'), once(process, 'exit')]);
    assert.equal(process.exitCode, null, clients.#said);
    return clients;
  }

  #hear(line: Line): void {
    if (line.id === undefined) {
      if (line.client !== undefined) this.#people.get(line.client)?.hear(line);
      return;
    }
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.error === undefined) waiting?.resolve(line.result);
    else waiting?.reject(new Error(line.error));
  }

  /** Has a client do something. @throws with the condition of the error when the server refuses it */
  ask(client: string, what: string, details: object = {}): Promise<unknown> {
    const id = ++this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#child.stdin.write(`${JSON.stringify({ id, client, do: what, ...details })}\n`);
    return promise;
  }

  /**
   * A client that logs in; `register` makes its account first (XEP-0077), with `nodes` it shows that it wants to be told of nicknames, tunes,
   * avatars and these (XEP-0163).
   */
  async arrive(login: Login, register = false, nodes?: readonly string[]): Promise<SlixmppClient> {
    const name = `c${++this.#count}`;
    const person = new SlixmppClient(name, this);
    this.#people.set(name, person);
    const { user, domain, resource, password, port, way, certificate } = login;
    const jid = `${user}@${domain}/${resource}`;
    const tls = way === 'direct TLS' ? 'direct' : 'starttls';
    person.jid = (await this.ask(name, 'start', {
      jid,
      password,
      port,
      tls,
      ca: certificate,
      register,
      nodes,
    })) as string;
    return person;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
    assert.equal(this.#child.exitCode, 0, this.#said);
  }
}

/** One client of slixmpp. */
export class SlixmppClient implements Person {
  jid = '';
  readonly messages = new Mailbox<Message>('message');
  readonly presences = new Mailbox<Presence>('presence');
  readonly #name: string;
  readonly #clients: PythonClients;
  readonly #others = new Map<string, (about: unknown) => void>();
  #back: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(name: string, clients: PythonClients) {
    this.#name = name;
    this.#clients = clients;
  }

  hear({ event, about }: Line): void {
    if (event === 'message') this.messages.put(about as Message);
    else if (event === 'presence') this.presences.put(about as Presence);
    else if (event === 'resumed') this.#back?.resolve();
    else if (event === 'anew') this.#back?.reject(new Error('a new session was made'));
    else if (event !== undefined) this.#others.get(event)?.(about);
  }

  /** Has a function told of what the script tells by this name. */
  on(event: string, take: (about: unknown) => void): void {
    this.#others.set(event, take);
  }

  /** What `do_WHAT` of the script does. */
  async do(what: string, details: object = {}): Promise<unknown> {
    return this.#clients.ask(this.#name, what, details);
  }

  async roster(): Promise<Contact[]> {
    const items = (await this.do('roster')) as Contact[];
    return items.map(({ jid, subscription }) => ({ jid, subscription }));
  }

  async befriend(jid: string): Promise<void> {
    await this.do('put', { jid });
    await this.do('presence', { pto: jid, ptype: 'subscribe' });
  }

  async accept(jid: string): Promise<void> {
    await this.do('presence', { pto: jid, ptype: 'subscribed' });
  }

  async say(to: string, body: string): Promise<void> {
    await this.do('say', { to, body });
  }

  async carbons(): Promise<void> {
    await this.do('carbons');
  }

  resumed(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#back = { resolve, reject };
    return promise;
  }

  async leave(): Promise<void> {
    await this.do('leave');
  }
}
