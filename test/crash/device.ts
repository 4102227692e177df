import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '../../bench/load/client.ts';
import type { ScramKeys } from '../../bench/load/scram.ts';
import type { Wire } from '../../bench/load/wire.ts';
import { Scanner, type Stanza } from '../../src/xml/index.ts';
import type { Ledger } from './ledger.ts';

const DOMAIN = 'localhost';
const SM = 'urn:xmpp:sm:3';
const STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
const CARBONS = 'urn:xmpp:carbons:2';
const HEADER = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
const UNBOUNDED = { bytes: 1e9, depth: 1e6, attributes: 1e6, elements: 1e9 };
const ANSWER = 30_000; // ms that a server may take for an answer while a client logs in
const AGAIN = 40; // ms before the next attempt to connect

interface Unacknowledged {
  readonly id: string | undefined;
  readonly wire: string;
}

export interface DeviceOptions {
  readonly user: string;
  readonly resource: string;
  readonly keys: ScramKeys;
  readonly ledger: Ledger;
  /** Where the server is, or what stands before it. */
  port(): number;
  readonly carbons?: boolean;
  /** Whether a session that came back after a kill may have handled less than was said before: that could not be written. */
  readonly forgetful?: boolean;
  /** ms that it takes to acknowledge what it got. */
  readonly slowness?: number;
  /** Messages after which it asks for an acknowledgement. */
  readonly asking?: number;
  /** Told when <resume/> has been written. */
  resuming?(device: Device): void;
  /** Told of the outcome of an attempt to resume. */
  resumed?(device: Device, success: boolean): void;
}

/**
 * A client as it should be: it keeps what the server has not acknowledged, comes back whenever it is cut, resumes its session if it
 * can (XEP-0198 5), and sends again what it must (same id, same origin-id). All that it gets is noted in the ledger, which is its
 * memory: it counts as handled what stands there.
 */
export class Device {
  readonly name: string;
  readonly user: string;
  private readonly options: DeviceOptions;
  private readonly ledger: Ledger;
  /** What the server has not acknowledged, in order. */
  private queue: Unacknowledged[] = [];
  /** Stanzas of this session that the server has acknowledged, and that were sent. */
  private acknowledged = 0;
  /** Stanzas of this session that came. */
  private handled = 0;
  private resumption = '';
  /** Whether it is to be there. */
  wanted = false;
  private wire: Wire | undefined;
  /** The wire, once the session speaks through it. */
  private line: Wire | undefined;
  private living: Promise<void> | undefined;
  private sinceAsked = 0;
  private ack: NodeJS.Timeout | undefined;
  private leaving = false;
  private ids = 0;
  private readonly answers = new Map<string, (stanza: Stanza) => void>();
  private readonly watchers = new Set<(stanza: Stanza) => void>();
  /** Sessions that it had, and how often one was resumed. */
  sessions = 0;
  resumptions = 0;

  constructor(options: DeviceOptions) {
    this.options = options;
    this.ledger = options.ledger;
    this.user = options.user;
    this.name = `${options.user}/${options.resource}`;
  }

  /** Whether it has a session that speaks. */
  get online(): boolean {
    return this.line !== undefined && !this.line.closed;
  }

  get unacknowledged(): number {
    return this.queue.length;
  }

  /** Makes its account, if there is none yet. */
  async register(): Promise<void> {
    const client = await this.connect();
    await client.register();
    client.wire.cut();
  }

  private connect(): Promise<Client> {
    const { user, keys } = this.options;
    const address = { host: '127.0.0.1', port: this.options.port(), tls: false };
    return Client.open(address, { user, password: `wherefore ${user}`, keys }, DOMAIN);
  }

  // ---- comings and goings ---------------------------------------------------------------------------------------------------

  /** From now on it is there, and comes back when it is cut. */
  come(): void {
    this.wanted = true;
    this.living ??= this.live().finally(() => {
      this.living = undefined;
      if (this.wanted) this.come();
    });
  }

  /** Cuts its connection, as a network does; it comes back. */
  cut(): void {
    this.wire?.cut();
  }

  /** Cuts its connection and does not come back before it is told to. Its session waits. */
  async vanish(): Promise<void> {
    this.wanted = false;
    this.cut();
    await this.living;
  }

  /** Closes its stream in order. What still comes it does not take: it cannot acknowledge that, and so gets it again. */
  async leave(): Promise<void> {
    this.wanted = false;
    const { line } = this;
    if (line && !line.closed) {
      this.leaving = true;
      line.write(`<a xmlns='${SM}' h='${this.handled}'/></stream:stream>`);
      const timer = setTimeout(() => line.cut(), ANSWER);
      await this.living;
      clearTimeout(timer);
      this.leaving = false;
    }
    this.cut();
    await this.living;
  }

  private async live(): Promise<void> {
    while (this.wanted) {
      try {
        await this.session();
      } catch {
        // the server is not there, or went away in the middle
      }
      this.wire?.cut();
      this.wire = this.line = undefined;
      clearTimeout(this.ack);
      this.ack = undefined;
      for (const resolve of this.answers.values()) resolve(undefined as never);
      this.answers.clear();
      if (this.wanted) await pause(AGAIN);
    }
  }

  /** From the connection to its end. */
  private async session(): Promise<void> {
    const client = await this.connect();
    const { wire } = client;
    this.wire = wire;
    if (!this.wanted) return;
    await client.authenticate('SCRAM-SHA-256');
    const resumed = this.resumption !== '' && (await this.resume(wire));
    if (!resumed) await this.begin(client);
    const ended = Promise.withResolvers<void>();
    let closed = false;
    const scanner = this.scanner(() => {
      closed = true;
      ended.resolve();
    });
    wire.onClose = () => ended.resolve();
    wire.readBy(text => scanner.push(Buffer.from(text, 'latin1')));
    if (wire.closed) return;
    this.line = wire;
    if (this.options.carbons && !resumed) {
      this.count(`<iq type='set' id='carbons'><enable xmlns='${CARBONS}'/></iq>`);
      this.ask();
    }
    await ended.promise;
    // a server that did not close the stream may not know that it was closed
    if (this.leaving && closed) this.resumption = '';
  }

  private scanner(ended: () => void): Scanner {
    const scanner = new Scanner(
      {
        onHeader: () => {},
        onStanza: stanza => this.take(stanza),
        onClose: ended,
        onFault: ({ text }) => {
          this.ledger.fault(`${this.name} got what is no XML: ${text}`);
          ended();
        },
      },
      UNBOUNDED,
    );
    scanner.push(Buffer.from(HEADER));
    return scanner;
  }

  private async resume(wire: Wire): Promise<boolean> {
    wire.write(`<resume xmlns='${SM}' previd='${this.resumption}' h='${this.handled}'/>`);
    this.options.resuming?.(this);
    const [answer] = await wire.until(/<resumed[^>]*>|<failed[^>]*\/>|<failed.*?<\/failed>|<stream:error>.*/s, ANSWER);
    const success = answer.startsWith('<resumed');
    const h = /\bh='([0-9]+)'/.exec(answer)?.[1];
    if (answer.startsWith('<stream:error')) this.ledger.fault(`${this.name} resumed: ${answer}`);
    if (h !== undefined && success && this.options.forgetful)
      this.acknowledged = Math.min(this.acknowledged, Number(h));
    if (h !== undefined) this.release(Number(h));
    else if (success) this.ledger.fault(`${this.name} was resumed without a count: ${answer}`);
    this.options.resumed?.(this, success);
    if (success) {
      this.resumptions++;
      // what was refused has had its answer
      this.queue = this.queue.filter(({ id }) => id === undefined || !this.ledger.entries.get(id)!.refused);
      wire.write(this.queue.map(({ wire: text }) => text).join('') + `<r xmlns='${SM}'/>`);
    } else this.resumption = '';
    return success;
  }

  private async begin(client: Client): Promise<void> {
    const { wire } = client;
    await client.bind(this.options.resource);
    await client.manage();
    this.sessions++;
    this.resumption = client.resumption;
    this.handled = this.acknowledged = 0;
    // requests of a session that is no more concern nobody, and what was refused has had its answer
    this.queue = this.queue.filter(({ id }) => id !== undefined && !this.ledger.entries.get(id)!.refused);
    for (const { id } of this.queue) this.ledger.resend(id!);
    this.queue.unshift({ id: undefined, wire: '<presence/>' });
    wire.write(this.queue.map(({ wire: text }) => text).join('') + `<r xmlns='${SM}'/>`);
  }

  // ---- what it sends --------------------------------------------------------------------------------------------------------

  /** Sends a message to a user; at once, or when it is there again. */
  say(to: string): void {
    const id = this.ledger.send(this.name, to);
    this.count(
      `<message to='${to}@${DOMAIN}' type='chat' id='${id}'><body>${id}</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`,
      id,
    );
  }

  /** Sends a stanza, which the server has to acknowledge. */
  private count(wire: string, id?: string): void {
    this.queue.push({ id, wire });
    if (!this.online) return;
    const ask = ++this.sinceAsked >= (this.options.asking ?? 1);
    if (ask) this.sinceAsked = 0;
    this.line!.write(ask ? `${wire}<r xmlns='${SM}'/>` : wire);
  }

  /** Asks for an acknowledgement of all that was sent. */
  ask(): void {
    if (this.online) this.line!.write(`<r xmlns='${SM}'/>`);
  }

  /** Sends a request; undefined when the connection ended before its answer came. */
  request(to: string | undefined, type: 'get' | 'set', payload: string): Promise<Stanza | undefined> {
    const id = `q${++this.ids}`;
    return new Promise(resolve => {
      if (!this.online) return resolve(undefined);
      this.answers.set(id, resolve);
      this.count(`<iq type='${type}' id='${id}'${to === undefined ? '' : ` to='${to}'`}>${payload}</iq>`);
    });
  }

  /** Shows each stanza that comes to a watcher, until the function returned is called. */
  watch(watcher: (stanza: Stanza) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  // ---- what it gets ---------------------------------------------------------------------------------------------------------

  private take(stanza: Stanza): void {
    if (stanza.xmlns === SM) {
      if (stanza.name === 'r') this.answer();
      else if (stanza.name === 'a') this.release(Number(stanza.attr('h')));
      return;
    }
    if (stanza.name === 'error') {
      // <resume/> of a connection that was cut may come to the server behind that of the next one
      if (!stanza.has('conflict', STREAM_ERRORS))
        this.ledger.fault(`${this.name} got a stream error: ${stanza.element().toString()}`);
      return;
    }
    // an error it will never get again
    if (this.leaving && stanza.type !== 'error') return;
    if (stanza.name === 'message') this.message(stanza);
    else if (stanza.name === 'iq') {
      const id = stanza.attr('id') ?? '';
      this.answers.get(id)?.(stanza);
      this.answers.delete(id);
    }
    for (const watcher of this.watchers) watcher(stanza);
    this.handled++;
  }

  private message(stanza: Stanza): void {
    const id = stanza.attr('id');
    const carbon = stanza.has('sent', CARBONS) ? stanza.element().getChild('sent', CARBONS) : undefined;
    if (carbon) this.ledger.receive(this.name, carbon.getChild('forwarded')!.getChild('message')!.attrs.id as string);
    else if (stanza.type === 'error') this.ledger.refuse(id!);
    else if (stanza.has('result', 'urn:xmpp:mam:2') || id === undefined) return;
    else {
      if (stanza.childText('body') !== id) this.ledger.fault(`${this.name} got ${id} with another body`);
      this.ledger.receive(this.name, id);
    }
  }

  private answer(): void {
    const { slowness = 0 } = this.options;
    const { line } = this;
    const write = (): void => {
      this.ack = undefined;
      if (line === this.line && line && !line.closed) line.write(`<a xmlns='${SM}' h='${this.handled}'/>`);
    };
    if (slowness === 0) write();
    else this.ack ??= setTimeout(write, slowness);
  }

  /** The server has handled so many stanzas of this session. */
  private release(h: number): void {
    const count = h - this.acknowledged;
    if (!Number.isInteger(count) || count < 0 || count > this.queue.length) {
      this.ledger.fault(`${this.name} sent ${this.acknowledged + this.queue.length}; ${h} were said to be handled`);
      return;
    }
    this.acknowledged = h;
    for (const { id } of this.queue.splice(0, count)) if (id !== undefined) this.ledger.acknowledge(id);
  }
}
