import assert from 'node:assert/strict';
import path from 'node:path';
import { deviceStore } from '../../modules/push-gateway/store.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { copyDatabase, inspectDatabase } from '../../src/node/database.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { tablesOf } from '../../src/storage/tables.ts';
import { administer, DatabaseServer, KINDS, NEEDED } from '../kit/databases.ts';
import { needs } from '../kit/needs.ts';
import { TestNode } from '../kit/node.ts';
import { askInbox, displayed } from '../plays/inbox.ts';
import { tempFolder } from '../kit/temp.ts';

const ROSTER = 'jabber:iq:roster';

/** All rows of all tables, as text, but those of the copy itself. */
async function contents(storage: Storage): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of await storage.read(q => tablesOf(q, storage.dialect))) {
    if (table === 'posthouse_copy' || table === 'posthouse_migrations') continue;
    const rows = (await storage.read(q => q(table).select())) as Record<string, unknown>[];
    found[table] = rows
      .map(row => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))))
      .toSorted();
  }
  return found;
}

/** A data folder in which somebody has lived: on SQLite, the same for both servers. */
async function livedIn(): Promise<string> {
  const from = tempFolder();
  const stage = await TestNode.start({
    folder: from,
    users: ['romeo', 'juliet', 'ärger'],
    yaml: 'storage: { url: "" }\n',
  });
  try {
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    for (let i = 0; i < 5; i++)
      await romeo.iq('set', `<query xmlns='${ROSTER}'><item jid='c${i}@example.org' name='Nummer ${i} 💌'/></query>`);
    await romeo.iq('set', "<vCard xmlns='vcard-temp'><FN>Roméo</FN></vCard>");
    await romeo.iq('set', "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>");
    await romeo.iq('set', "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'>x</a></query>");
    for (let i = 0; i < 1500; i++)
      romeo.send(`<message to='juliet@localhost' type='chat' id='${i}'><body>Zeile ${i} ü 💌</body></message>`);
    await romeo.settle();
    // she takes nothing, and says something of which he has read the half
    const juliet = await stage.login('juliet@localhost/balcony');
    for (const id of ['j1', 'j2'])
      juliet.send(`<message to='romeo@localhost' type='chat' id='${id}'><body>${id}</body></message>`);
    await juliet.settle();
    romeo.send(`<message to='juliet@localhost'>${displayed('j1')}<no-store xmlns='urn:xmpp:hints'/></message>`);
    await romeo.settle();
  } finally {
    await stage.stop({ keep: true });
  }
  return from;
}
let lived: Promise<string> | undefined;

for (const kind of KINDS) {
  describe(`posthouse storage copy, SQLite and ${kind}`, () => {
    let server: DatabaseServer;
    let from: string;
    before(async function () {
      needs(this, NEEDED[kind]);
      this.timeout(120_000);
      server = await DatabaseServer.start(kind);
      from = await (lived ??= livedIn());
    });
    after(function () {
      this.timeout(60_000);
      return server?.stop();
    });

    const config = () => loadConfig({ file: path.join(from, 'test.yaml'), data: from, moduleOptions: optionsOfModule });
    const copy = async (source: string, target: string, replace = false) => {
      const told: string[] = [];
      const rows = await copyDatabase({
        from: source,
        to: target,
        replace,
        config: await config(),
        progress: (table, done, total) => void told.push(`${table} ${done}/${total}`),
      });
      return { rows, told };
    };

    it('there and back nothing is lost or changed, and it can be repeated', async function () {
      this.timeout(120_000);
      const url = await server.database();
      const { rows, told } = await copy(from, url);
      assert.equal(rows.accounts, 3);
      assert.equal(rows.offline_messages, 1500);
      assert.equal(rows.roster_items, 5);
      assert.equal(rows.inbox_displayed, 1);
      assert.ok(
        told.includes('offline_messages 1000/1500') && told.includes('offline_messages 1500/1500'),
        told.join(),
      );
      assert.deepEqual((await copy(from, url)).rows, rows);
      const back = tempFolder();
      assert.deepEqual((await copy(url, back)).rows, rows);
      const one = await openStorage({ dataDir: from });
      const other = await openStorage({ dataDir: back });
      try {
        assert.deepEqual(await contents(other), await contents(one));
      } finally {
        await one.close();
        await other.close();
      }
    });

    it('a node lives on with it: logins, what waits, and new ids behind the old', async function () {
      this.timeout(120_000);
      const url = await server.database();
      await copy(from, url);
      const stage = await TestNode.start({
        yaml: `storage: '${url}'\nlimits: { stanzasPerSecond: 0, bytesPerSecond: 0 }\n`,
      });
      try {
        const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
        assert.deepEqual((await askInbox(romeo)).lines, ['juliet@localhost 1 j2']);
        assert.equal(
          await stage.node.accounts.create((await import('../../src/jid/index.ts')).parseJid('new@localhost')!, 'x'),
          'created',
        );
        romeo.send(`<message to='juliet@localhost' type='chat' id='last'><body>new</body></message>`);
        await romeo.settle();
        const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
        const got: string[] = [];
        while (got.length < 1501) got.push((await juliet.message()).attrs.id!);
        assert.deepEqual(got, [...Array.from({ length: 1500 }, (_, i) => String(i)), 'last']);
      } finally {
        await stage.stop();
      }
      // it is a database of its own now
      await assert.rejects(copy(from, url), /holds accounts already.*--replace/);
      assert.equal((await copy(from, url, true)).rows.accounts, 3);
    });

    it('what the second held for other modules is gone', async function () {
      this.timeout(60_000);
      const url = await server.database();
      const held = await openStorage({ dataDir: tempFolder(), url });
      await held.migrate('push-gateway/devices', deviceStore.migrations);
      const device = { node: 'n', owner: 'o', owner_text: 'o', channel: 'c', name: '', target: '', secret: 's' };
      await held.transact(tx => tx('push_devices').insert({ ...device, registered_at: 1 }));
      await held.close();
      assert.equal((await copy(from, url)).rows.push_devices, 0);
    });

    it('half a copy is none: no node starts on it', async function () {
      this.timeout(60_000);
      const url = await server.database();
      await copy(from, url);
      await administer(url, ['UPDATE posthouse_copy SET finished_at = NULL']);
      await assert.rejects(openStorage({ dataDir: tempFolder(), url }), /begun and not finished.*storage copy/);
      await copy(from, url);
      await (await openStorage({ dataDir: tempFolder(), url })).close();
    });

    it('what is wrong with a database is said: posthouse check', async function () {
      this.timeout(60_000);
      const url = await server.database();
      const fine = await inspectDatabase(url);
      assert.ok(
        fine.every(({ level }) => level === 'ok'),
        JSON.stringify(fine),
      );
      assert.ok(fine.some(({ text }) => /(?:MariaDB|PostgreSQL) [0-9]/.test(text)));
      const storage = await openStorage({ dataDir: tempFolder(), url });
      assert.deepEqual(await inspectDatabase(url), fine, 'while a node runs on it');
      await storage.close();

      const problems = async (address: string) => {
        const found = (await inspectDatabase(address))
          .filter(({ level }) => level === 'problem')
          .map(({ text }) => text);
        assert.ok(!found.join().includes('secret'), found.join());
        return found.join('\n');
      };
      const other = (change: (address: URL) => void) => {
        const address = new URL(url);
        change(address);
        return address.href;
      };
      assert.match(await problems(other(address => (address.port = '1'))), /cannot be reached \(ECONNREFUSED\)/);
      assert.match(
        await problems(other(address => (address.pathname = '/nothing'))),
        /there is no database of that name/,
      );
      const name = new URL(url).pathname.slice(1);
      if (kind === 'mysql') {
        await administer(server.url(), [
          "CREATE USER 'reader'@'%' IDENTIFIED BY 'secret'",
          `GRANT SELECT, INSERT ON ${name}.* TO 'reader'@'%'`,
        ]);
        const wrong = other(address => {
          address.username = 'reader';
          address.password = 'secret-and-wrong';
        });
        assert.match(await problems(wrong), /lets this user not in/);
        await administer(url, ['ALTER TABLE posthouse_migrations CONVERT TO CHARACTER SET latin1']);
        assert.match(await problems(url), /not utf8mb4.*posthouse_migrations/);
      } else {
        await administer(server.url(), ["CREATE USER reader PASSWORD 'secret'"]);
        const latin = `latin_${process.pid}`;
        await administer(server.url(), [
          `CREATE DATABASE ${latin} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
        ]);
        assert.match(await problems(server.url(latin)), /the character set is LATIN1/);
      }
      const reader = other(address => {
        address.username = 'reader';
        address.password = 'secret';
      });
      assert.match(await problems(reader), /lacks rights: .*CREATE/);
    });
  });
}
