/*
 * Modules on trial: a node with real storage in a folder of its own, with the modules that a test names, and with sessions whose
 * clients are the test. Everything is the real thing but the sockets.
 *
 *   const kit = await ModuleKit.open({ modules: { messages: {}, offline: { limit: 3 } } });
 *   const romeo = await kit.session('romeo@localhost/orchard', { presence: 0 });
 *   await kit.receive(romeo, `<message to='juliet@localhost'><body>Hi</body></message>`);
 *   await kit.close();     // fails when a module failed, or leaves anything behind
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pino from 'pino';
import sinon, { type SinonFakeTimers } from 'sinon';
import type { Jid } from '../../src/jid/index.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { DEFAULT_MODULES } from '../../src/node/config/schema.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { Node } from '../../src/node/node.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { KitSession } from './session.ts';
import { databaseOf } from './storage.ts';
import { removeTemp, tempFolder } from './temp.ts';
import { turn, until } from './wait.ts';
import { jid, packet, readStanza } from './wire.ts';

export { KitSession } from './session.ts';
export { removeTemp, tempFolder } from './temp.ts';
export { turn, until } from './wait.ts';
export { jid, packet, readStanza, readStanzas } from './wire.ts';

const SM = 'urn:xmpp:sm:3';
const STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const ERROR = 50; // pino's level

export interface KitOptions {
  /** The modules that are on, by name (or path, from `folder` on), with their options as in a configuration file. No others are. */
  readonly modules?: Readonly<Record<string, object>>;
  /** The domains that are served, with their options. Default: localhost. */
  readonly hosts?: Readonly<Record<string, object>>;
  /** More of the configuration: `admins`, `sessions`, ... */
  readonly core?: Readonly<Record<string, unknown>>;
  /** Makes time stand still: `kit.clock.tickAsync(ms)` lets it pass. A number is the time it begins with, in ms since 1970. */
  readonly clock?: boolean | number;
  /** Where configuration and data are; made by `tempFolder` when left out, and then removed at the end. */
  readonly folder?: string;
}

/** A line of the log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly module?: string;
  readonly point?: string;
  readonly err?: { readonly message: string };
}

/** How an IQ request was refused. */
export interface Refusal {
  readonly type: string;
  readonly condition: string;
  readonly text: string | undefined;
}

interface IqDetails {
  /** Default 'get'. */
  readonly type?: 'get' | 'set';
  readonly to?: string;
}

export class ModuleKit {
  readonly folder: string;
  readonly logged: LogLine[] = [];
  private readonly options: KitOptions;
  private readonly fake: SinonFakeTimers | undefined;
  private running!: Node;
  private ids = 0;
  private storage = '';

  private constructor(options: KitOptions) {
    this.options = options;
    this.folder = options.folder ?? tempFolder();
    if (options.clock !== undefined && options.clock !== false) {
      this.fake = sinon.useFakeTimers({
        now: typeof options.clock === 'number' ? options.clock : Date.UTC(2026, 0, 1),
        // the event loop itself goes on: storage needs it
        toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
      });
    }
  }

  static async open(options: KitOptions = {}): Promise<ModuleKit> {
    const kit = new ModuleKit(options);
    try {
      await kit.start();
    } catch (error) {
      kit.leave();
      throw error;
    }
    return kit;
  }

  private async start(): Promise<void> {
    const file = path.join(this.folder, 'posthouse.yaml');
    this.storage = await databaseOf(this.folder);
    this.configure(this.options.modules ?? {});
    const read = () => loadConfig({ file, data: path.join(this.folder, 'data'), moduleOptions: optionsOfModule });
    const log = pino(
      { level: 'info', base: undefined },
      { write: line => this.logged.push(JSON.parse(line) as LogLine) },
    );
    this.running = await Node.start({ config: await read(), reread: read, log, listen: false });
    this.node.points.ready.tell(undefined);
  }

  /** Writes the configuration file with these modules; `kit.node.reload()` takes it up. */
  configure(modules: Readonly<Record<string, object>>, hosts = this.options.hosts ?? { localhost: {} }): void {
    const off = Object.fromEntries(DEFAULT_MODULES.filter(name => !(name in modules)).map(name => [name, false]));
    const storage = this.storage === '' ? {} : { storage: this.storage };
    const configuration = { ...storage, ...this.options.core, hosts, modules: { ...off, ...modules } };
    // JSON is YAML
    writeFileSync(path.join(this.folder, 'posthouse.yaml'), JSON.stringify(configuration));
  }

  get node(): Node {
    return this.running;
  }

  /** Time that stands still; only with the option `clock`. */
  get clock(): SinonFakeTimers {
    assert(this.fake, "open the kit with 'clock' to have one");
    return this.fake;
  }

  /** Makes the account unless it is there. Its password is 'secret'. */
  async account(bare: string): Promise<Jid> {
    const address = jid(bare).toBare();
    if (!(await this.node.accounts.exists(address))) await this.node.accounts.create(address, 'secret');
    return address;
  }

  /** A session with this full address; its account is made if need be. `presence`: it becomes available, with that priority. */
  async session(full: string, options: { presence?: number; resumption?: number } = {}): Promise<KitSession> {
    const address = jid(full);
    await this.account(full);
    const { directory, hub } = this.node;
    directory.session(address.full)?.close({ condition: 'conflict' });
    const id = `t${++this.ids}`;
    const session = new KitSession(id, address, directory.user(address.toBare()), hub);
    directory.add(session);
    hub.begun(session);
    if (options.resumption !== undefined) {
      session.enable({ id, timeout: options.resumption });
      if (options.resumption > 0) hub.enableResumption(session, id);
    }
    if (options.presence !== undefined) {
      await this.receive(session, `<presence><priority>${options.presence}</priority></presence>`);
    }
    return session;
  }

  /** The client of that session sends a stanza. Resolved when it has been handled, with what it has to be safe for (XEP-0198). */
  async receive(session: KitSession, markup: string): Promise<void> {
    const stanza = readStanza(markup);
    if (stanza.xmlns === SM) {
      if (stanza.name === 'a')
        assert(session.onAck(Number(stanza.attr('h'))), `${markup} acknowledges more than was sent`);
      else session.onRequest();
      return;
    }
    const error = session.receive(stanza);
    if (error) session.close(error);
    await session.settled();
    await turn();
  }

  /** A stanza comes from elsewhere; its markup says from whom and to whom. */
  async route(markup: string): Promise<void> {
    await this.node.route(packet(markup));
    await turn();
  }

  /** Sends an IQ request (its payload, or a whole <iq/>) and gives the <iq/> that answers it. */
  async ask(session: KitSession, element: Element, details: IqDetails = {}): Promise<Element> {
    const iq = element.is('iq') ? element : xml('iq', { type: details.type ?? 'get', to: details.to }, element);
    const id = (iq.attrs.id ??= `kit${++this.ids}`) as string;
    const before = session.sent.length;
    await this.receive(session, String(iq));
    const isAnswer = (e: Element): boolean =>
      e.is('iq') && e.attrs.id === id && /^(result|error)$/.test(String(e.attrs.type));
    return until(
      () => session.sent.slice(before).find(isAnswer),
      () => `the answer to ${String(iq)}`,
    );
  }

  /** Sends an IQ request and gives the payload of its result, undefined for an empty one. Rejects when it is refused. */
  async iq(session: KitSession, element: Element, details: IqDetails = {}): Promise<Element | undefined> {
    const answer = await this.ask(session, element, details);
    assert.equal(answer.attrs.type, 'result', `refused: ${String(answer)}`);
    return answer.getChildElements()[0];
  }

  /** Sends an IQ request that has to be refused. */
  async refused(session: KitSession, element: Element, details: IqDetails = {}): Promise<Refusal> {
    const answer = await this.ask(session, element, details);
    assert.equal(answer.attrs.type, 'error', `not refused: ${String(answer)}`);
    return refusalOf(answer);
  }

  /** Failures in the log since the last look. `close` finds fault with those that nobody looked at. */
  failures(): LogLine[] {
    const found = this.logged.filter(line => line.level >= ERROR);
    this.logged.length = 0;
    return found;
  }

  /** Stops the node and starts it again on the same data, as after a restart. Its sessions end. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends everything. Rejects when a module failed, or when something of a module is left after it was unloaded. */
  async close(): Promise<void> {
    try {
      await this.stop();
      assert.deepEqual(this.failures(), [], 'something failed');
    } finally {
      this.leave();
    }
  }

  private async stop(): Promise<void> {
    const { node } = this;
    // what stops a node waits for real time
    this.fake?.restore();
    node.hub.closeAll({ condition: 'system-shutdown' });
    await node.hub.settled();
    await node.modules.unloadAll();
    const left = node.modules.leaks();
    await node.stop('the test is over');
    assert.deepEqual(left, [], 'modules left something behind');
  }

  private leave(): void {
    this.fake?.restore();
    if (this.options.folder === undefined) removeTemp(this.folder);
  }
}

/** What an error stanza says (RFC 6120 8.3). */
export function refusalOf(stanza: Element): Refusal {
  const error = stanza.getChild('error');
  assert(error, `no <error/> in ${String(stanza)}`);
  const condition = error
    .getChildElements()
    .find(child => child.attrs.xmlns === STANZA_ERRORS && child.name !== 'text');
  assert(condition, `no condition in ${String(error)}`);
  return {
    type: String(error.attrs.type),
    condition: condition.name,
    text: error.getChildText('text', STANZA_ERRORS) ?? undefined,
  };
}
