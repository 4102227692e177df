import assert from 'node:assert/strict';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import path from 'node:path';
import { exportUsers } from '../../src/cli/portable/export.ts';
import { importUsers, type ImportCounts } from '../../src/cli/portable/import.ts';
import { firstKeyAt, idOf } from '../../modules/archive/key.ts';
import { Operations } from '../../src/node/operations.ts';
import { TestNode } from '../kit/node.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { ask, type Page, rsm } from './archive.ts';
import { askInbox, displayed } from './inbox.ts';

const PIE = 'urn:xmpp:pie:0';

const asker = (node: TestNode, seen?: (bytes: number) => void) => {
  const operations = new Operations(node.node);
  return async (command: string, args: Record<string, unknown>) => {
    const result = await operations.run({ command, args });
    seen?.(Math.max(JSON.stringify(args).length, JSON.stringify(result ?? null).length));
    return result;
  };
};

describe('play: archives are carried from one server to another (XEP-0227, XEP-0313)', function () {
  this.timeout(180_000);
  const folder = tempFolder();
  let old: TestNode;
  let young: TestNode;
  const file = (name: string): string => path.join(folder, name);
  const take = (name: string, node = young): Promise<ImportCounts> => importUsers(asker(node), file(name));
  const messages = (): Promise<number> =>
    young.node.storage.read(async q => Number((await q('archive_messages').count({ n: '*' }).first())!.n));

  beforeEach(async () => {
    old = await TestNode.start({ users: ['romeo', 'juliet'] });
    young = await TestNode.start();
  });
  afterEach(async () => {
    await old.stop();
    await young.stop();
  });
  after(() => removeTemp(folder));

  /** All that somebody's archive has. */
  async function history(node: TestNode, name: string): Promise<Page> {
    const client = await node.login(`${name}@localhost/x`);
    const page = await ask(client);
    await client.end();
    return page;
  }
  const plain = ({ results }: Page) =>
    results.map(({ id, stamp, from, to, body, message }) => [id, stamp, from, to, body, message.toString()]);

  it('with their ids, times and order, each message once for both of its people, and again without a change', async () => {
    const romeo = await old.login('romeo@localhost/orchard', { presence: true });
    const juliet = await old.login('juliet@localhost/balcony', { presence: true });
    for (let n = 0; n < 7; n++) {
      juliet.send(`<message to='romeo@localhost' type='chat' id='j${n}'><body>j${n} &lt;é&gt; 🌹</body></message>`);
      await romeo.message();
      romeo.send(
        `<message to='juliet@localhost/balcony' type='chat' id='r${n}' xml:lang='it'><body>r${n}</body></message>`,
      );
      await juliet.message();
    }
    // to oneself, to who is not there, and one that is retracted
    juliet.send("<message to='juliet@localhost' type='chat'><body>a note</body></message>");
    juliet.send("<message to='romeo@localhost' type='chat' id='oops'><body>oops</body></message>");
    await romeo.message();
    juliet.send(
      "<message to='romeo@localhost' type='chat'><retract xmlns='urn:xmpp:message-retract:1' id='oops'/></message>",
    );
    await romeo.message();
    await juliet.settle();
    const before = { romeo: plain(await history(old, 'romeo')), juliet: plain(await history(old, 'juliet')) };
    assert.deepEqual([before.romeo.length, before.juliet.length], [16, 17]);

    await exportUsers(asker(old), {}, file('all.xml'));
    const first = await take('all.xml');
    assert.deepEqual([first.problems, await messages()], [0, 17]);
    for (const name of ['romeo', 'juliet'] as const) assert.deepEqual(plain(await history(young, name)), before[name]);
    const again = await take('all.xml');
    assert.deepEqual([again.imported, again.known, again.problems], [0, first.imported + first.known, 0]);
    assert.equal(await messages(), 17);

    // what is said from now on is behind it
    const there = await young.login('juliet@localhost/balcony');
    there.send("<message to='romeo@localhost' type='chat'><body>new</body></message>");
    await there.settle();
    await there.end();
    for (const name of ['romeo', 'juliet'] as const) {
      const now = plain(await history(young, name));
      assert.deepEqual([now.slice(0, -1), now.at(-1)![4]], [before[name], 'new']);
      assert(now.at(-1)![0]! > now.at(-2)![0]!);
    }

    // one account at a time, also after it was removed with all that it had
    await exportUsers(asker(old), { account: { local: 'romeo', domain: 'localhost' } }, file('romeo.xml'));
    await young.node.accounts.remove((await young.node.accounts.list('localhost')).at(-1)!.jid);
    assert.equal((await take('romeo.xml')).problems, 0);
    assert.deepEqual(plain(await history(young, 'romeo')), before.romeo);
    assert.equal((await history(young, 'juliet')).results.length, 18);
    await young.stop({ keep: true });
    young = await TestNode.start({ folder: young.folder });
    assert.deepEqual(plain(await history(young, 'romeo')), before.romeo);
  });

  it('what was displayed is known from the markers in them (XEP-0333)', async () => {
    const romeo = await old.login('romeo@localhost/orchard', { presence: true });
    const juliet = await old.login('juliet@localhost/balcony', { presence: true });
    for (const [body, id] of Object.entries({ one: '1', two: '2', three: '3', again: '1', last: '4' })) {
      juliet.send(`<message to='romeo@localhost' type='chat' id='${id}'><body>${body}</body></message>`);
      await romeo.message();
      if (body !== 'three') continue;
      // those that come later under the same ids are not meant
      for (const seen of ['2', '1'])
        romeo.send(`<message to='juliet@localhost' type='chat'>${displayed(seen)}</message>`);
      await romeo.settle();
    }
    const unread = ['juliet@localhost 3 last'];
    assert.deepEqual((await askInbox(romeo)).lines, unread);
    await exportUsers(asker(old), {}, file('displayed.xml'));
    await take('displayed.xml');
    const there = await young.login('romeo@localhost/orchard');
    assert.deepEqual((await askInbox(there)).lines, unread);
    await take('displayed.xml');
    assert.deepEqual((await askInbox(there)).lines, unread);
  });

  it('from other servers: ids by time and place, the same whenever the file is read', async () => {
    const result = (id: string, stamp: string, from: string, to: string, body: string) =>
      `<result xmlns='urn:xmpp:mam:2' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'>${stamp && `<delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>`}
        <message xmlns='jabber:client' to='${to}' from='${from}' type='chat'><body>${body}</body>
          <stanza-id xmlns='urn:xmpp:sid:0' by='benvolio@localhost' id='${id}'/></message></forwarded></result>`;
    const [own, friend] = ['benvolio@localhost/x', 'romeo@elsewhere.example/y'];
    writeFileSync(
      file('other.xml'),
      `<server-data xmlns='${PIE}'><host jid='localhost'><user name='benvolio' password='benvolio'>
<archive xmlns='${PIE}#mam'>
${result('28482-98726-73623', '2010-07-10T23:08:25Z', friend, own, 'one')}
${result('5d398-28273-f7382', '2010-07-10T23:08:25Z', own, friend, 'two')}
${result('00000-00000-00000', '2010-07-10T23:08:25Z', own, friend, 'three')}
${result('00000-00000-00001', '2010-07-10T23:08:25.5+01:00', friend, 'benvolio@localhost', 'zero')}
${result('no stamp', '', friend, own, 'x')}
${result('of others', '2010-07-10T23:08:25Z', friend, 'nurse@localhost', 'x')}
${result('of the future', '2199-07-10T23:08:25Z', friend, own, 'x')}
<result xmlns='urn:xmpp:mam:2' id='empty'/>
</archive></user></host></server-data>`,
    );
    const { write } = process.stderr;
    let said = '';
    process.stderr.write = ((text: string) => ((said += text), true)) as typeof write;
    try {
      for (const times of [1, 2]) {
        const { imported, known, problems } = await take('other.xml');
        assert.deepEqual([imported, known, problems], times === 1 ? [4, 0, 4] : [0, 4, 4]);
      }
    } finally {
      process.stderr.write = write;
    }
    for (const line of [
      /neither an id of this kind of server nor a time/,
      /neither from this account nor to it/,
      /the message is from the future/,
      /the result holds no message/,
    ])
      assert.match(said, line);
    const page = await history(young, 'benvolio');
    assert.deepEqual(page.bodies, ['zero', 'one', 'two', 'three']);
    assert.equal(page.results[1]!.stamp, '2010-07-10T23:08:25.000Z');
    assert(page.results.every(({ message }) => !message.getChild('stanza-id')));
  });

  it('tens of thousands of messages, a page at a time', async () => {
    const count = 20_000;
    const begin = Date.parse('2024-03-01T00:00:00Z');
    const out = createWriteStream(file('large.xml'));
    out.write(
      `<server-data xmlns='${PIE}'><host jid='localhost'><user name='gregory' password='gregory'><archive xmlns='${PIE}#mam'>\n`,
    );
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const id = idOf(firstKeyAt(begin + n * 1000), 'greg00000');
      ids.push(id);
      const [from, to] =
        n % 2 === 0 ? ['gregory@localhost/x', 'sampson@localhost'] : ['sampson@localhost/y', 'gregory@localhost'];
      const stamp = new Date(begin + n * 1000).toISOString();
      out.write(
        `<result xmlns='urn:xmpp:mam:2' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>` +
          `<message xmlns='jabber:client' from='${from}' to='${to}' type='chat' id='${n}'><body>${n} ${'x'.repeat(200)}</body></message></forwarded></result>\n`,
      );
    }
    out.end('</archive></user></host></server-data>\n');
    await finished(out);
    let largest = 0;
    const seen = (bytes: number): void => void (largest = Math.max(largest, bytes));
    const counts = await importUsers(asker(young, seen), file('large.xml'));
    assert.deepEqual([counts.imported, counts.problems], [count, 0]);
    assert.equal(await messages(), count);

    await exportUsers(asker(young, seen), { host: 'localhost' }, file('large-again.xml'));
    assert(largest < 1_300_000, `${largest}`);
    const lines = (name: string): string[] =>
      readFileSync(file(name), 'utf8')
        .replaceAll('"', "'")
        .match(/^<result .*$/gm)!;
    const [first, second] = [lines('large.xml'), lines('large-again.xml')];
    // a difference of thousands of lines says nothing
    const differs = first.findIndex((line, n) => line !== second[n]);
    assert.deepEqual([second.length, second[differs]], [count, first[differs]]);

    const client = await young.login('gregory@localhost/x');
    const last = await ask(client, rsm('<max>2</max><before/>'));
    assert.deepEqual(
      last.results.map(({ id }) => id),
      ids.slice(-2),
    );
    const next = await ask(client, rsm(`<max>3</max><after>${ids[9_999]}</after>`));
    assert.deepEqual(
      next.results.map(({ id }) => id),
      ids.slice(10_000, 10_003),
    );
    await client.end();
  });
});
