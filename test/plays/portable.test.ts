import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportUsers } from '../../src/cli/portable/export.ts';
import { importUsers, type ImportCounts } from '../../src/cli/portable/import.ts';
import { Operations } from '../../src/node/operations.ts';
import { deriveScramKeys, type ScramHash } from '../../src/stream/sasl/index.ts';
import { TestNode } from '../kit/node.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';

const PIE = 'urn:xmpp:pie:0';
const PRIVATE = "<query xmlns='jabber:iq:private'>";

const asker = (node: TestNode) => {
  const operations = new Operations(node.node);
  return (command: string, args: Record<string, unknown>) => operations.run({ command, args });
};

/** Does something, and gives what was said on standard error meanwhile. */
async function heard<T>(work: () => Promise<T>): Promise<{ result?: T; error?: Error; said: string }> {
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = ((text: string) => ((said += text), true)) as typeof write;
  try {
    return { result: await work(), said };
  } catch (error) {
    return { error: error as Error, said };
  } finally {
    process.stderr.write = write;
  }
}

/** What is in a file; in what order an account's private documents were written is nobody's business. */
const lines = (name: string): string[] => readFileSync(name, 'utf8').split('\n').toSorted();

describe('play: accounts are carried from one server to another (XEP-0227)', function () {
  this.timeout(60_000);
  const folder = tempFolder();
  let old: TestNode;
  let young: TestNode;
  const file = (name: string, text?: string): string => {
    const at = path.join(folder, name);
    if (text !== undefined) writeFileSync(at, text);
    return at;
  };
  const load = (node: TestNode, at: string) => heard(() => importUsers(asker(node), at));
  const document = (users: string, host = 'localhost'): string =>
    `<?xml version='1.0'?>\n<server-data xmlns='${PIE}'>\n<host jid='${host}'>\n${users}\n</host>\n</server-data>\n`;

  before(async () => {
    old = await TestNode.start({ users: ['romeo', 'juliet'] });
    young = await TestNode.start();
  });
  after(async () => {
    await old.stop();
    await young.stop();
    removeTemp(folder);
  });

  it('with all that they have, and again without a change', async () => {
    const romeo = await old.login('romeo@localhost/orchard', { presence: true });
    const juliet = await old.login('juliet@localhost/balcony', { presence: true });
    const item = (jid: string, more = '') =>
      `<query xmlns='jabber:iq:roster'><item jid='${jid}' name='A &amp; B &lt;é&gt;'>${more}</item></query>`;
    await romeo.iq('set', item('mercutio@elsewhere.example', '<group>Friends</group><group>Others</group>'));
    await romeo.iq('set', item('juliet@localhost'));
    romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
    await juliet.presence('romeo@localhost', 'subscribe');
    juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
    await romeo.presence('juliet@localhost', 'subscribed');
    juliet.send("<presence to='romeo@localhost' type='subscribe'><status>Let me see you</status></presence>");
    await romeo.presence('juliet@localhost', 'subscribe');
    await romeo.iq('set', "<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN><NOTE>]]&gt; &#x1F339;</NOTE></vCard>");
    await romeo.iq('set', `${PRIVATE}<prefs xmlns='exodus:prefs' x:y='1' xmlns:x='urn:x'><a/></prefs></query>`);
    await romeo.iq('set', `${PRIVATE}<other xmlns='urn:other'>text</other></query>`);
    await romeo.iq(
      'set',
      "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/><item jid='paris.example'/></block>",
    );
    await romeo.end();
    for (let n = 0; n < 5; n++) juliet.send(`<message to='romeo@localhost' type='chat'><body>m${n}</body></message>`);
    await juliet.settle();
    await juliet.end();
    await old.node.accounts.setStatus((await old.node.accounts.list('localhost'))[0]!.jid, 'disabled');

    const first = file('first.xml');
    const exported = await exportUsers(asker(old), {}, first);
    assert.equal(exported.accounts, 2);
    assert.equal(statSync(first).mode & 0o777, 0o600);

    const run = await load(young, first);
    assert.ifError(run.error);
    assert.equal(run.said, '');
    const counts = run.result!;
    assert.deepEqual([counts.accounts, counts.existing, counts.problems], [2, 0, 0]);
    assert(counts.imported >= 15, `${counts.imported}`);

    const second = file('second.xml');
    await exportUsers(asker(young), {}, second);
    assert.deepEqual(lines(second), lines(first));

    const again = (await load(young, first)).result!;
    assert.deepEqual(
      [again.accounts, again.existing, again.imported, again.known, again.problems],
      [0, 2, 0, counts.imported + counts.known, 0],
    );
    await exportUsers(asker(young), {}, second);
    assert.deepEqual(lines(second), lines(first));

    // the same password, and everything is there
    const there = await young.login('romeo@localhost/orchard', { presence: true });
    for (let n = 0; n < 5; n++) assert.equal((await there.message()).getChildText('body'), `m${n}`);
    await there.presence('juliet@localhost', 'subscribe');
    assert.equal(
      (await there.iq('get', "<vCard xmlns='vcard-temp'/>")).getChild('vCard')!.getChildText('FN'),
      'Romeo Montague',
    );
    const roster = (await there.iq('get', "<query xmlns='jabber:iq:roster'/>")).getChild('query')!.getChildren('item');
    assert.deepEqual(
      roster.map(({ attrs }) => `${attrs.jid} ${attrs.subscription}`).toSorted((a, b) => (a < b ? -1 : 1)),
      ['juliet@localhost to', 'mercutio@elsewhere.example none'],
    );
    await there.end();
    const other = await young.connect();
    await assert.rejects(other.login('juliet@localhost/balcony'));
  });

  it('one account, or a host, and nothing of others', async () => {
    const one = file('one.xml');
    await exportUsers(asker(old), { account: { local: 'romeo', domain: 'localhost' } }, one);
    const text = readFileSync(one, 'utf8');
    assert(text.includes("<user name='romeo'>") && !text.includes("<user name='juliet'>"));
    await assert.rejects(exportUsers(asker(old), { host: 'nowhere.example' }, one), /does not serve/);
    await assert.rejects(
      exportUsers(asker(old), { account: { local: 'nobody', domain: 'localhost' } }, file('none.xml')),
      /there is no account/,
    );
    assert.throws(() => statSync(file('none.xml')), /ENOENT/);
    assert.throws(() => statSync(file('none.xml.part')), /ENOENT/);
  });

  it('from other servers: passwords, prefixes, CDATA, comments, files within files', async () => {
    file(
      'montague.xml',
      `<host xmlns='${PIE}' xmlns:xi='http://www.w3.org/2001/XInclude' jid='localhost'><xi:include href='users/benvolio.xml'/></host>`,
    );
    const { mkdirSync } = await import('node:fs');
    mkdirSync(path.join(folder, 'users'));
    file(
      'users/benvolio.xml',
      `<p:user xmlns:p='${PIE}' xmlns:r='jabber:iq:roster' xmlns:c='jabber:client' name='benvolio' password='p&amp;ss'>
         <!-- a comment --><r:query><r:item jid='Romeo@LOCALHOST/x' name="R" subscription='both'><r:group><![CDATA[<G>]]></r:group></r:item></r:query>
         <p:offline-messages><c:message from='romeo@localhost/a' to='benvolio@localhost' type='chat'><c:body>one</c:body>
           <delay xmlns='urn:xmpp:delay' stamp='2020-07-21T00:32:29Z'/></c:message>
           <c:message from='romeo@localhost/a' to='benvolio@localhost' type='chat'><c:body>two</c:body>
           <delay xmlns='urn:xmpp:delay' stamp='2020-07-21T00:32:29Z'/></c:message></p:offline-messages>
       </p:user>`,
    );
    const main = file(
      'main.xml',
      `<server-data xmlns='${PIE}' xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='montague.xml'/></server-data>`,
    );
    for (const times of [1, 2]) {
      const { result, error, said } = await load(young, main);
      assert.ifError(error);
      assert.equal(said, '');
      const { imported, known } = result!;
      assert.deepEqual([imported, known], times === 1 ? [3, 0] : [0, 3]);
    }
    file(
      'users/abram.xml',
      `<user xmlns='${PIE}' name='abram' password='x'>\n<query xmlns='jabber:iq:roster'><item jid=''/></query></user>`,
    );
    file(
      'montague.xml',
      `<host xmlns='${PIE}' jid='localhost'><i:include xmlns:i='http://www.w3.org/2001/XInclude' href='users/abram.xml'/></host>`,
    );
    assert(
      (await load(young, main)).said.includes(
        `${path.join(folder, 'users/abram.xml')}:2: abram@localhost: '' is not an address`,
      ),
    );
    const client = await young.connect();
    await client.authenticate('benvolio', 'p&ss');
    await client.bind('x');
    client.send('<presence/>');
    assert.equal((await client.message()).getChildText('body'), 'one');
    assert.equal((await client.message()).getChildText('body'), 'two');
    const [item] = (await client.iq('get', "<query xmlns='jabber:iq:roster'/>")).getChild('query')!.getChildren('item');
    assert.deepEqual([item!.attrs.jid, item!.getChildText('group')], ['romeo@localhost', '<G>']);
    await client.end();
  });

  it('with keys for some mechanisms only: they log in by those, and by all once their password is known', async () => {
    const salt = randomBytes(48);
    const element = async (hash: ScramHash, own = salt, iterations = 5000): Promise<string> => {
      const { storedKey, serverKey } = await deriveScramKeys(hash, 'verona', own, iterations);
      return `<scram-credentials xmlns='${PIE}#scram' mechanism='SCRAM-SHA-${hash.slice(3)}'><iter-count>${iterations}</iter-count>
        <salt>${own.toString('base64')}</salt><server-key>${serverKey.toString('base64')}</server-key>
        <stored-key>${storedKey.toString('base64')}</stored-key></scram-credentials>`;
    };
    const at = file(
      'keys.xml',
      document(`<user name='one'>${await element('sha1')}</user>
<user name='two'>${await element('sha512')}${await element('sha256')}</user>
<user name='salts'>${await element('sha1', randomBytes(8))}${await element('sha256')}</user>
<user name='bad'>${(await element('sha1')).replace(/<stored-key>..../, '<stored-key>')}${await element('sha256')}</user>
<user name='none'>${(await element('sha1')).replace('SHA-1', 'SHA-9')}</user>`),
    );
    const { result, said } = await load(young, at);
    assert.deepEqual([result!.accounts, result!.partial, result!.problems], [5, 4, 3], said);
    for (const line of [
      /salts@localhost: the credentials for SCRAM-SHA-1 have another salt or iteration count than those for SCRAM-SHA-256/,
      /bad@localhost: the credentials for SCRAM-SHA-1 are none/,
      /none@localhost has no password: there are no credentials for SCRAM-SHA-1 or/,
      /1 accounts can log in by SCRAM-SHA-1 and PLAIN only/,
      /1 accounts can log in by SCRAM-SHA-512, SCRAM-SHA-256 and PLAIN only/,
      /2 accounts can log in by SCRAM-SHA-256 and PLAIN only/,
    ])
      assert.match(said, line);

    const { accounts } = young.node;
    const backend = accounts.backend('localhost');
    const knows = async (name: string, hash: ScramHash, password = 'verona'): Promise<boolean> => {
      const found = await backend.scram(name, hash);
      const { storedKey } = await deriveScramKeys(hash, password, found.salt, found.iterations);
      return found.status === 'active' && storedKey.equals(found.storedKey);
    };
    const which = async (name: string) =>
      (await Promise.all((['sha1', 'sha256', 'sha512'] as const).map(hash => knows(name, hash)))).map(Number).join('');
    const all = async () => Promise.all(['one', 'two', 'salts', 'bad', 'none'].map(which));
    assert.deepEqual(await all(), ['100', '011', '010', '010', '000']);
    // the same each time: nobody can tell what is kept
    assert.deepEqual(await backend.scram('one', 'sha512'), await backend.scram('one', 'sha512'));

    // what was taken in is given away again, and no more
    const out = file('keys-again.xml');
    for (const [name, count] of [
      ['one', 1],
      ['two', 2],
    ] as const) {
      await exportUsers(asker(young), { account: { local: name, domain: 'localhost' } }, out);
      assert.equal(readFileSync(out, 'utf8').split('<scram-credentials').length - 1, count);
    }
    const client = await young.connect();
    await client.authenticate('one', 'verona');
    await client.end();
    assert.equal(await backend.plain('two', 'verona'), 'ok');
    assert.equal(await backend.plain('salts', 'Verona'), 'wrong');
    assert.equal(await backend.plain('none', 'verona'), 'wrong');
    assert.deepEqual(await all(), ['111', '111', '010', '010', '000']);
  });

  it('tells what could not be taken in by its line, and goes on', async () => {
    const at = file(
      'odd.xml',
      document(`<user name='paris'>
<query xmlns='jabber:iq:roster'>
<item jid='@@' subscription='both'/>
<item jid='x@y.example' subscription='some'/>
<item jid='z@y.example' subscription='from'/>
</query>
<query xmlns='jabber:iq:private'><a xmlns='urn:${'x'.repeat(200)}'/></query>
<query xmlns='jabber:iq:privacy'><list name='public'/></query>
<vCard xmlns='vcard-temp'><NOTE>${'x'.repeat(200_000)}</NOTE></vCard>
</user>
<user/>
<user name='a b' password='x'><vCard xmlns='vcard-temp'/></user>`) + '<!-- the end -->',
    );
    const { result, said } = await load(young, at);
    assert.equal(result!.imported, 1);
    assert.equal(result!.problems, 8);
    for (const line of [
      `${at}:6: paris@localhost: '@@' is not an address`,
      `${at}:7: paris@localhost: there is no subscription 'some'`,
      `${at}:10: paris@localhost: A document's name and its namespace have at most`,
      `${at}:11: <query xmlns='jabber:iq:privacy'> is not known here`,
      `${at}:12: paris@localhost: a vCard has at most`,
      `${at}:14: a user without a name`,
      `${at}:15: 'a b@localhost' is not an address`,
      `${at}:4: paris@localhost has no password: there are no credentials for SCRAM-SHA-1`,
    ]) {
      assert(said.includes(line), `${line} in ${said}`);
    }
    const include = "<include xmlns='http://www.w3.org/2001/XInclude' href='%zz.xml'/>";
    assert.match(
      (await load(young, file('include.xml', document(include)))).said,
      /include\.xml:4: an inclusion of '%zz/,
    );
    const foreign = await load(young, file('foreign.xml', document("<user name='a'/>", 'other.example')));
    assert.match(foreign.said, /foreign\.xml:3: this node does not serve 'other\.example'/);
    assert.equal(foreign.result!.accounts, 0);
  });

  it('of a broken file nothing is taken in', async () => {
    const whole = document("<user name='sampson' password='x'/>");
    for (const [text, expected] of [
      [whole.replace('</host>', '</hast>'), /broken\.xml:5: not well-formed XML/],
      [whole.slice(0, -20), /broken\.xml:\d: not well-formed XML/],
      [whole.replace("'x'/>", "'x'>&nbsp;</user>"), /broken\.xml:4: not well-formed XML/],
      [whole.replace('\n<server', '\n<!DOCTYPE x>\n<server'), /broken\.xml:2: a document type/],
      [whole.replace(`xmlns='${PIE}'`, "xmlns='urn:other'"), /broken\.xml:2: the file is none of XEP-0227/],
      [whole.replace("version='1.0'", "version='1.0' encoding='ISO-8859-1'"), /broken\.xml:1: not in UTF-8/],
      [
        whole
          .replace("version='1.0'", "version='1.1'")
          .replace("'x'/>", "'x'><vCard xmlns='vcard-temp'><FN>&#1;</FN></vCard></user>"),
        /broken\.xml:4: not well-formed XML/,
      ],
      [
        whole.replace("'x'/>", `'x'>${"<a xmlns='b'>".repeat(2000)}${'</a>'.repeat(2000)}</user>`),
        /broken\.xml:4: elements are nested too deep/,
      ],
    ] as const) {
      const { error } = await load(young, file('broken.xml', text));
      assert.match(error!.message, expected);
    }
    writeFileSync(file('broken.xml'), Buffer.from(whole.replace('sampson', 'samps\xf6n'), 'latin1'));
    assert.match((await load(young, file('broken.xml'))).error!.message, /broken\.xml:\d+: not UTF-8/);
    assert.match((await load(young, file('nothing.xml'))).error!.message, /there is no file/);
    const loop = `<server-data xmlns='${PIE}'><include xmlns='http://www.w3.org/2001/XInclude' href='loop.xml'/></server-data>`;
    const { error, said } = await load(young, file('loop.xml', loop));
    // within a server's data no other server's data stands
    assert(error !== undefined || said.includes('is not known here'), said);
    const list = await young.node.accounts.list('localhost');
    assert(!list.some(({ jid }) => jid.local.startsWith('samps')));
  });

  it('a file of any size is read piece by piece', async () => {
    const at = file('large.xml');
    const messages = Array.from(
      { length: 3000 },
      (_, n) =>
        `<message xmlns='jabber:client' from='a@b.example' to='gregory@localhost' type='chat'><body>${n} ${'x'.repeat(900)}</body></message>\n`,
    );
    writeFileSync(
      at,
      document(`<user name='gregory' password='x'><offline-messages>${messages.join('')}</offline-messages></user>`),
    );
    const sizes: number[] = [];
    const ask = asker(young);
    const counts: ImportCounts = await importUsers((command, args) => {
      sizes.push(JSON.stringify(args).length);
      return ask(command, args);
    }, at);
    assert.equal(counts.imported, 3000);
    assert(Math.max(...sizes) < 1_200_000, `${Math.max(...sizes)}`);
    const out = file('large-again.xml');
    await exportUsers(ask, { account: { local: 'gregory', domain: 'localhost' } }, out);
    const bodies = [...readFileSync(out, 'utf8').matchAll(/<body>(\d+) /g)].map(match => Number(match[1]));
    assert.deepEqual(
      bodies,
      Array.from({ length: 3000 }, (_, n) => n),
    );
  });
});
