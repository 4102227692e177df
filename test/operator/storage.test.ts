import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { TestClient } from '../kit/client.ts';
import { until } from '../kit/wait.ts';
import { Operated } from './program.ts';
import { SmallDisk } from './small-disk.ts';

const SM = 'urn:xmpp:sm:3';
const PATIENCE = 60_000; // ms

async function isReady(node: Operated): Promise<boolean> {
  return (await node.http('/ready')).status === 200;
}

/** Somebody who writes to people that are not there, and knows from acknowledgements (XEP-0198) when that is safe. */
class Writer {
  private readonly client: TestClient;
  private sent = 0;

  private constructor(client: TestClient) {
    this.client = client;
  }

  static async of(client: TestClient): Promise<Writer> {
    client.send(`<enable xmlns='${SM}'/>`);
    await client.expect(({ name }) => name === 'enabled', 'stream management');
    return new Writer(client);
  }

  send(stanza: string): void {
    this.sent++;
    this.client.send(stanza);
  }

  /** The type of the error that comes back; undefined when the message was acknowledged without one. */
  async write(id: string): Promise<string | undefined> {
    const { client } = this;
    const body = `${id} ${'x'.repeat(2000)}`;
    this.send(`<message to='juliet@localhost' type='chat' id='${id}'><body>${body}</body></message>`);
    const wanted = this.sent;
    const acknowledged = async (): Promise<boolean> => {
      client.send(`<r xmlns='${SM}'/>`);
      const isAnswer = ({ name }: { name: string }): boolean => name === 'a';
      // it may come only when the message is safe
      await until(() => client.inbox.some(isAnswer), `an answer to <r/> after ${id}`, PATIENCE);
      const { attrs } = await client.expect(isAnswer, 'an acknowledgement');
      return Number(attrs.h) >= wanted;
    };
    await until(acknowledged, `the acknowledgement of ${id}`, PATIENCE);
    const at = client.inbox.findIndex(({ name, attrs }) => name === 'message' && attrs.id === id);
    if (at < 0) return undefined;
    const [answer] = client.inbox.splice(at, 1);
    return answer!.getChild('error')?.attrs.type as string | undefined;
  }
}

describe('a full disk', () => {
  let disk: SmallDisk | undefined;
  let node: Operated;
  let romeo: TestClient;
  let writer: Writer;

  before(async function () {
    disk = SmallDisk.make();
    if (!disk) {
      if (process.env.POSTHOUSE_TEST_ALL) throw new Error('no file system that can be filled: run as root');
      this.skip();
    }
    node = await Operated.prepare();
    const data = path.join(disk.folder, 'data');
    await node.start({}, ['--conf', node.conf, '--data', data]);
    Object.defineProperty(node, 'data', { value: data });
    await node.add('romeo', 'juliet', 'nurse');
    romeo = await node.login('romeo@localhost/orchard');
    writer = await Writer.of(romeo);
  });
  after(async () => {
    await node?.remove();
    disk?.remove();
  });

  it("is a 'wait' error to the sender, a loud line of the log, and a failed /ready; and nothing said to be stored is lost", async () => {
    const refused: string[] = [];
    const stored: string[] = [];
    for (let n = 0; n < 40; n++) {
      if (n === 10) disk!.fill();
      const error = await writer.write(`m${n}`);
      if (error !== undefined) assert.equal(error, 'wait');
      (error === undefined ? stored : refused).push(`m${n}`);
    }
    assert.ok(stored.length >= 10, 'those before it was full');
    assert.ok(refused.length > 0, 'those after');
    assert.equal((await node.logged('the disk is full; what cannot be stored is refused')).level, 50);
    const ready = await node.http('/ready');
    assert.equal(ready.status, 503);
    assert.deepEqual(JSON.parse(ready.text), { ready: false, problems: ['storage: the disk is full'] });
    const status = await node.command(['status']);
    assert.equal(status.code, 1);
    assert.match(status.out, /storage: the disk is full/);

    // who is there logs in, and chats on with what nobody has to keep
    const nurse = await node.login('nurse@localhost/house');
    nurse.send('<presence/>');
    await nurse.settle();
    for (const [id, hint] of [
      ['n1', ''],
      ['n2', "<no-store xmlns='urn:xmpp:hints'/>"],
    ])
      writer.send(`<message to='nurse@localhost/house' type='chat' id='${id}'><body>Nurse!</body>${hint}</message>`);
    assert.equal((await nurse.message()).attrs.id, 'n2');
    const add = await node.command(['user', 'add', 'tybalt@localhost'], 'x\n');
    assert.equal(add.code, 1);
    assert.match(add.err, /the disk is full/);

    disk!.empty();
    await until(() => isReady(node), 'the recovery');
    await node.logged(/^storage: writing works again/);
    assert.equal(await writer.write('last'), undefined);
    stored.push('last');

    const juliet = await node.login('juliet@localhost/balcony');
    juliet.send('<presence/>');
    const messages = (): string[] =>
      juliet.inbox.filter(({ name }) => name === 'message').map(({ attrs }) => attrs.id as string);
    await until(
      () => messages().length >= stored.length,
      () => `${stored.length} messages; these came: ${messages().join(' ')}`,
    );
    const got = messages();
    assert.deepEqual(got, stored);
    assert.equal(await node.stop(), 0);
  });
});

describe('a database that another program has locked', () => {
  let node: Operated;
  before(async () => {
    node = await Operated.start();
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it("is a 'wait' error to the sender and a failed /ready, until it is free again", async () => {
    const romeo = await node.login('romeo@localhost/orchard');
    const writer = await Writer.of(romeo);
    const other = new Database(path.join(node.data, 'posthouse.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    try {
      assert.equal(await writer.write('m1'), 'wait');
      assert.equal(await isReady(node), false);
      assert.equal((await node.logged('locked by another program')).level, 50);
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
    await node.logged(/^storage: writing works again/);
    assert.ok(await isReady(node));
    assert.equal(await writer.write('m2'), undefined);
    const metrics = (await node.http('/metrics')).text;
    assert.match(metrics, /posthouse_storage_write_failures_total [1-9]/);
    assert.match(metrics, /posthouse_storage_ready 1/);
    await romeo.end();
  });

  it('keeps a message that comes while it is locked for a moment', async () => {
    const romeo = await node.login('romeo@localhost/orchard');
    const writer = await Writer.of(romeo);
    const other = new Database(path.join(node.data, 'posthouse.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const sent = writer.write('m3');
    await new Promise(resolve => setTimeout(resolve, 100));
    other.exec('ROLLBACK');
    other.close();
    assert.equal(await sent, undefined);
  });
});

describe('a start', () => {
  let node: Operated;
  beforeEach(async () => {
    node = await Operated.prepare();
  });
  afterEach(() => node.remove());

  /** Starts in vain; what it says. */
  async function refused(): Promise<string> {
    node.spawn();
    assert.equal(await node.ended(), 1);
    const text = await until(() => node.log.find(({ level }) => level === 60)?.msg, 'why it did not start');
    assert.doesNotMatch(node.output, /^ +at /m, 'no stack');
    return text;
  }

  it('with a file in place of the data folder says so', async () => {
    writeFileSync(node.data, '');
    assert.match(await refused(), /data folder .* cannot be made: a file of that name is in the way.*--data/);
    const check = await node.command(['check']);
    assert.equal(check.code, 1);
    assert.match(check.out, /PROBLEM {2}data folder: .*data is a file/);
  });

  it('on a database that is damaged says so and leaves it as it is', async () => {
    mkdirSync(node.data);
    const file = path.join(node.data, 'posthouse.sqlite');
    const garbage = 'this is no database. '.repeat(500);
    writeFileSync(file, garbage);
    assert.match(await refused(), /database .*posthouse\.sqlite is damaged\. Restore a backup, or move the file away/);
    assert.equal(readFileSync(file, 'utf8'), garbage);
    rmSync(file);
    await node.start();
    assert.equal(await node.stop(), 0);

    // and one of a newer version than the program
    const db = new Database(file);
    db.exec("INSERT INTO posthouse_migrations (module, name, applied_at) VALUES ('roster/roster', '999-future', 0)");
    const { module } = db.prepare('SELECT module FROM posthouse_migrations WHERE module LIKE ?').get('roster/%') as {
      module: string;
    };
    db.exec(`UPDATE posthouse_migrations SET module = '${module}' WHERE name = '999-future'`);
    db.close();
    assert.match(
      await refused(),
      /database is newer than this program: .*999-future.*Start the version that made them/,
    );
  });

  it('on a port that is taken names it and the option that moves it', async () => {
    const other = net.createServer().listen(node.ports.http, '127.0.0.1');
    await once(other, 'listening');
    try {
      assert.match(
        await refused(),
        new RegExp(
          `127\\.0\\.0\\.1 port ${node.ports.http} is taken by another program\\. Set listeners\\.http\\.port`,
        ),
      );
      const check = await node.command(['check']);
      assert.equal(check.code, 1);
      assert.match(check.out, new RegExp(`PROBLEM  ports: .* port ${node.ports.http} is taken`));
    } finally {
      other.close();
    }
  });

  it('on a data folder that this user may not write names it', async function () {
    mkdirSync(node.data, { mode: 0o500 });
    chmodSync(node.data, 0o500);
    // root may write anywhere, unless it goes without that right
    const asOwner = process.getuid?.() === 0;
    node.spawn({ without: asOwner ? ['dac_override', 'dac_read_search'] : [] });
    assert.equal(await node.ended(), 1);
    assert.match(node.log.at(-1)!.msg!, /data folder .* cannot be written: this user may not write there.*--data/);
    chmodSync(node.data, 0o700);
  });
});
