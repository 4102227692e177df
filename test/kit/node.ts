import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { parseJid } from '../../src/jid/index.ts';
import type { Credentials } from '../../src/node/accounts/store.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { Node } from '../../src/node/node.ts';
import { tablesOf } from '../../src/storage/tables.ts';
import { freePort } from './ports.ts';
import { TestClient } from './client.ts';
import { ON_SERVER, storageLine } from './storage.ts';
import { keep, prepare } from './template.ts';

/** Credentials of accounts by their names, which are their passwords: to make them anew for each node takes longer than to start it. */
const credentials = new Map<string, Credentials>();

/** A running node on free loopback ports, with its data in a temporary folder; plays talk to it through real sockets. */
export class TestNode {
  readonly node: Node;
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly componentPort: number;
  private readonly clients: TestClient[] = [];

  private constructor(node: Node, folder: string, ports: number[]) {
    this.node = node;
    this.folder = folder;
    [this.port, this.tlsPort, this.httpPort, this.httpsPort, this.componentPort] = ports as [
      number,
      number,
      number,
      number,
      number,
    ];
  }

  /**
   * `yaml` is added to a configuration that serves localhost without TLS being needed, `listeners` to its listeners. A folder given is
   * used again.
   */
  static async start(
    options: { yaml?: string; listeners?: string; folder?: string; users?: readonly string[]; level?: string } = {},
  ): Promise<TestNode> {
    const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    const fresh = options.folder === undefined && !ON_SERVER && !/^storage:/m.test(options.yaml ?? '');
    if (fresh) prepare(folder);
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
    const file = path.join(folder, 'test.yaml');
    const hosts = /^hosts:/m.test(options.yaml ?? '') ? '' : 'hosts: { localhost: {} }\n';
    writeFileSync(
      file,
      `${hosts}listeners:
  xmpp: { port: ${ports[0]}, addresses: [127.0.0.1], allowPlaintext: true }
  xmpps: { port: ${ports[1]}, addresses: [127.0.0.1] }
  http: { port: ${ports[2]}, addresses: [127.0.0.1] }
  https: { port: ${ports[3]}, addresses: [127.0.0.1] }
  components: { type: component, port: ${ports[4]}, addresses: [127.0.0.1] }
${options.listeners ? `  ${options.listeners}\n` : ''}${await storageLine(folder, options.yaml)}${options.yaml ?? ''}`,
    );
    const read = () => loadConfig({ file, data: folder, moduleOptions: optionsOfModule });
    const log = pino({ level: options.level ?? process.env.POSTHOUSE_TEST_LOG ?? 'silent' });
    const node = await Node.start({ config: await read(), reread: read, log, listen: true });
    const test = new TestNode(node, folder, ports);
    if (fresh) keep(folder);
    for (const user of options.users ?? []) await test.addUser(user);
    return test;
  }

  get configFile(): string {
    return path.join(this.folder, 'test.yaml');
  }

  /** Adds an account; its password is its name. */
  async addUser(name: string, host = 'localhost'): Promise<void> {
    const { accounts } = this.node;
    const jid = parseJid(`${name}@${host}`)!;
    const known = credentials.get(name);
    if (known && (await accounts.adopt(jid, known)) === 'created') return;
    await accounts.create(jid, name);
    const made = await accounts.credentials(jid);
    if (made) credentials.set(name, made);
  }

  /** The tables that have a row of which `own` is true. */
  async tablesWith(own: (row: Record<string, unknown>) => boolean): Promise<string[]> {
    const { storage } = this.node;
    const found: string[] = [];
    for (const name of await storage.read(q => tablesOf(q, storage.dialect))) {
      const rows = (await storage.read(q => q(name).select())) as Record<string, unknown>[];
      if (rows.some(own)) found.push(name);
    }
    return found;
  }

  /** Waits until what has to be written by now is written, or cannot be; whether that was anything. */
  async stored(): Promise<boolean> {
    const { storage } = this.node;
    const before = storage.counts().rows;
    // rows are committed in order
    await storage
      .batch<null, void>({ name: 'probe', write: () => {} })
      .write(null)
      .catch(() => {});
    return storage.counts().rows > before + 1;
  }

  /** A connection without a stream yet. */
  async connect(): Promise<TestClient> {
    const client = await TestClient.connect(this.port, undefined, () => this.stored());
    this.clients.push(client);
    return client;
  }

  /** A client that has logged in and bound a resource: 'romeo@localhost/orchard'. */
  async login(full: string, options: { presence?: boolean | number; resource?: string } = {}): Promise<TestClient> {
    const client = await this.connect();
    await client.login(full);
    if (options.presence !== undefined && options.presence !== false) {
      const priority = typeof options.presence === 'number' ? `<priority>${options.presence}</priority>` : '';
      client.send(`<presence>${priority}</presence>`);
      await client.expect(stanza => stanza.name === 'presence' && stanza.attrs.from === client.jid, 'its own presence');
    }
    return client;
  }

  /** Stops, and removes the data unless they are to be kept. */
  async stop(options: { keep?: boolean } = {}): Promise<void> {
    for (const client of this.clients) client.destroy();
    await this.node.stop('the test is over');
    if (!options.keep) rmSync(this.folder, { recursive: true, force: true });
  }
}
