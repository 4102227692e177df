import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportUsers } from '../../src/cli/portable/export.ts';
import { importUsers } from '../../src/cli/portable/import.ts';
import { Operations } from '../../src/node/operations.ts';
import { parseJid } from '../../src/jid/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { tempFolder } from '../kit/temp.ts';
import { until } from '../kit/wait.ts';
import {
  byFields,
  byForm,
  card,
  DIRECTORY,
  entryOf,
  findNick,
  findNumber,
  foundIn,
  nickname,
  page,
  say,
  SEARCH,
  SERVICE,
} from './directory.ts';
import { ok } from './verona.ts';

const COMMANDS = 'http://jabber.org/protocol/commands';

describe('play: what hosts make of searching people (XEP-0055)', () => {
  let stage: TestNode;
  const nodes: TestNode[] = [];
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
  });

  async function open(yaml: string, folder?: string): Promise<TestNode> {
    stage = await TestNode.start({
      yaml,
      folder,
      ...(folder === undefined && { users: ['romeo', 'juliet', 'prince'] }),
    });
    nodes.push(stage);
    return stage;
  }
  const login = (name: string): Promise<TestClient> => stage.login(`${name}@localhost/x`);

  it('nobody is found by name who has not said so, and everybody by number, where nothing is configured', async () => {
    await open('modules: { search: {} }');
    const [romeo, juliet] = [await login('romeo'), await login('juliet')];
    ok(await juliet.iq('set', card({ nick: 'Juliet' })));
    assert.deepEqual(await findNick(romeo, 'juliet'), []);
    assert.deepEqual(await findNumber(romeo, 'juliet'), ['juliet@localhost']);
    ok(await juliet.iq('set', say("by-name='true'")));
    assert.deepEqual(await findNick(romeo, 'juliet'), ['juliet@localhost']);
  });

  it('the rule of the host changes while it runs, for those who have said nothing', async () => {
    await open('modules: { search: { byName: true } }');
    const [romeo, juliet, prince] = [await login('romeo'), await login('juliet'), await login('prince')];
    ok(await juliet.iq('set', card({ nick: 'One of Verona' })));
    ok(await prince.iq('set', card({ nick: 'Prince of Verona' })));
    ok(await prince.iq('set', say("by-name='true' by-number='true'")));
    const sorted = (jids: (string | undefined)[]) => jids.map(String).toSorted();
    const both = ['juliet@localhost', 'prince@localhost'];
    const change = async (options: string) => {
      const text = readFileSync(stage.configFile, 'utf8');
      writeFileSync(stage.configFile, text.replace(/modules: .*/, `modules: { search: { ${options} } }`));
      await stage.node.reload();
    };
    assert.deepEqual(sorted(await findNick(romeo, 'verona')), both);
    await change('byName: false, byNumber: false');
    assert.deepEqual(await findNick(romeo, 'verona'), ['prince@localhost']);
    assert.deepEqual(await findNumber(romeo, 'juliet'), []);
    assert.deepEqual(await findNumber(romeo, 'prince'), ['prince@localhost']);
    await change("byName: true, domain: 'people.{host}'");
    assert.deepEqual(sorted(await findNick(romeo, 'verona', 'people.localhost')), both);
    assert.equal(condition(await romeo.iq('get', `<query xmlns='${SEARCH}'/>`, SERVICE)), 'remote-server-not-found');
    assert.equal(((await entryOf(juliet)) as { service?: string }).service, 'people.localhost');
  });

  it('numbers that users choose: unique, digits however they are written, theirs until they give them back', async () => {
    await open('modules: { search: { number: chosen } }');
    const [romeo, juliet, prince] = [await login('romeo'), await login('juliet'), await login('prince')];
    assert.equal((await entryOf(juliet)).number, undefined);
    ok(await juliet.iq('set', say('', '+86 (138) 0013-8000')));
    assert.equal((await entryOf(juliet)).number, '+8613800138000');
    assert.equal(condition(await romeo.iq('set', say('', '+8613800138000'))), 'conflict');
    for (const typed of ['+8613800138000', '+86 138 0013 8000', '＋８６138.0013.8000'])
      assert.deepEqual(await findNumber(romeo, typed), ['juliet@localhost'], typed);
    for (const typed of ['8613800138000', '+861380013800', '138']) assert.deepEqual(await findNumber(romeo, typed), []);
    for (const wrong of ['juliet', '12', '1'.repeat(21), '12a45', '++123'])
      assert.equal(condition(await juliet.iq('set', say('', wrong))), 'not-acceptable', wrong);
    assert.equal(condition(await romeo.iq('set', byForm({ 'x-number': 'juliet' }), SERVICE)), 'not-acceptable');
    ok(await juliet.iq('set', say("by-number='false'")));
    assert.deepEqual(await findNumber(romeo, '+8613800138000'), []);
    ok(await juliet.iq('set', say("by-number='default'", '')));
    ok(await prince.iq('set', say('', '+8613800138000')));
    assert.deepEqual(await findNumber(romeo, '+8613800138000'), ['prince@localhost']);
    // the command has a field for it
    const form = ok(
      await romeo.iq('set', `<command xmlns='${COMMANDS}' node='${DIRECTORY}#entry'/>`, 'localhost'),
    ).getChild('command')!;
    const submit = `<x xmlns='jabber:x:data' type='submit'><field var='number'><value>10086</value></field></x>`;
    ok(
      await romeo.iq(
        'set',
        `<command xmlns='${COMMANDS}' node='${DIRECTORY}#entry' sessionid='${form.attrs.sessionid}'>${submit}</command>`,
        'localhost',
      ),
    );
    assert.deepEqual(await findNumber(prince, '10086'), ['romeo@localhost']);
    // free again when its account goes
    await stage.node.accounts.remove(parseJid('romeo@localhost')!);
    ok(await juliet.iq('set', say('', '10086')));
    assert.deepEqual(await findNumber(prince, '10086'), ['juliet@localhost']);
  });

  it('numbers that administrators give: by command and by operation, and by nobody else', async () => {
    await open('admins: [prince@localhost]\nmodules: { search: { number: assigned } }');
    const [romeo, juliet, prince] = [await login('romeo'), await login('juliet'), await login('prince')];
    assert.equal(condition(await juliet.iq('set', say('', '10086'))), 'not-allowed');
    const give = async (client: TestClient, account: string, number: string) => {
      const first = await client.iq('set', `<command xmlns='${COMMANDS}' node='${DIRECTORY}#number'/>`, 'localhost');
      if (first.attrs.type === 'error') return condition(first);
      const { sessionid } = first.getChild('command')!.attrs;
      const fields = `<field var='account'><value>${account}</value></field><field var='number'><value>${number}</value></field>`;
      const answer = await client.iq(
        'set',
        `<command xmlns='${COMMANDS}' node='${DIRECTORY}#number' sessionid='${sessionid}'><x xmlns='jabber:x:data' type='submit'>${fields}</x></command>`,
        'localhost',
      );
      return answer.attrs.type === 'error' ? condition(answer) : 'done';
    };
    assert.equal(await give(juliet, 'juliet@localhost', '10086'), 'forbidden');
    assert.equal(await give(prince, 'juliet@localhost', '10086'), 'done');
    for (const [account, number] of [
      ['romeo@localhost', '10086'],
      ['romeo@localhost', 'x'],
      ['nobody@localhost', '10087'],
      ['romeo@elsewhere.example', '10087'],
    ] as const)
      assert.equal(await give(prince, account, number), 'not-acceptable', `${account} ${number}`);
    assert.deepEqual(await findNumber(romeo, '10086'), ['juliet@localhost']);
    const operations = new Operations(stage.node);
    const run = (args: Record<string, unknown>) => operations.run({ command: 'search.number', args });
    await assert.rejects(async () => run({ account: 'romeo@localhost', number: '10086' }), /Another account has/);
    assert.match(JSON.stringify(await run({ account: 'juliet@localhost', number: 'none' })), /"byNumber":true/);
    assert.match(JSON.stringify(await run({ account: 'romeo@localhost', number: '10086' })), /"number":"10086"/);
    assert.deepEqual(await findNumber(prince, '10086'), ['romeo@localhost']);
  });

  it('accounts of other hosts of the server search where that is allowed, anonymous ones never', async () => {
    await open(`hosts: { localhost: {}, verona.example: {}, guests.example: { anonymous: true } }
modules: { search: { searchers: node, byName: true } }`);
    await stage.addUser('benvolio', 'verona.example');
    const juliet = await login('juliet');
    ok(await juliet.iq('set', card({ nick: 'Juliet' })));
    const benvolio = await stage.login('benvolio@verona.example/x');
    assert.deepEqual(await findNick(benvolio, 'juliet'), ['juliet@localhost']);
    assert.deepEqual(await findNumber(benvolio, 'juliet'), ['juliet@localhost']);
    const guest = await stage.connect();
    await guest.open('guests.example');
    guest.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>`);
    await guest.expect(({ name }) => name === 'success', 'a login');
    await guest.open('guests.example');
    await guest.bind();
    for (const service of [SERVICE, 'search.guests.example'])
      assert.equal(condition(await guest.iq('set', byFields({ nick: 'juliet' }), service)), 'forbidden');
  });

  it('nobody copies the directory: so many searches, so many people', async () => {
    await open(`modules: { search: { byName: true, searchesPerMinute: 6, peoplePerDay: 5, page: 3 } }`);
    const [romeo, juliet] = [await login('romeo'), await login('juliet')];
    for (let i = 0; i < 9; i++) {
      await stage.addUser(`anna${i}`);
      const anna = await login(`anna${i}`);
      ok(await anna.iq('set', card({ nick: `Anna ${i}` })));
      await anna.end();
    }
    const ask = (client: TestClient, wishes: Record<string, string> = {}) =>
      client.iq('set', byFields({ nick: 'anna' }, page(wishes)), SERVICE);
    assert.equal(foundIn(await ask(romeo)).length, 3);
    // what is left of the day's
    assert.equal(foundIn(await ask(romeo, { after: 'anna2@localhost' })).length, 2);
    const refused = await ask(romeo);
    assert.equal(condition(refused), 'resource-constraint');
    assert.equal(refused.getChild('error')!.attrs.type, 'wait');
    assert.equal(condition(await romeo.iq('set', byForm({ 'x-number': 'juliet' }), SERVICE)), 'resource-constraint');
    // each for themselves; a page without people costs a search too
    for (let i = 0; i < 6; i++) assert.equal(foundIn(await ask(juliet, { max: '0' })).length, 0);
    assert.equal(condition(await ask(juliet, { max: '0' })), 'resource-constraint');
  });

  it('accounts that were there before the module come into the directory, and again when an operator says so', async () => {
    await open('modules: { search: false }');
    const juliet = await login('juliet');
    ok(await juliet.iq('set', card({ nick: 'Juliet' })));
    ok(await juliet.iq('set', nickname('Lady Capulet')));
    const { folder } = stage;
    await stage.stop({ keep: true });
    nodes.pop();
    await open('modules: { search: { byName: true, searchesPerMinute: 10000, searchesPerDay: 10000 } }', folder);
    const romeo = await login('romeo');
    await until(async () => (await findNick(romeo, 'lady')).length === 1, 'the names', 20_000);
    assert.deepEqual(await findNick(romeo, 'juliet'), ['juliet@localhost']);
    const store = () => stage.node.storage.read(q => q('search_people').where({ account: 'juliet@localhost' }).first());
    await stage.node.storage.transact(async tx => {
      await tx('search_people').delete();
      await tx('search_terms').delete();
    });
    const operations = new Operations(stage.node);
    await operations.run({ command: 'search.gather', args: { host: 'LOCALHOST' } });
    await until(store, 'the names again');
    assert.deepEqual(await findNick(romeo, 'capulet'), ['juliet@localhost']);
    await assert.rejects(
      async () => operations.run({ command: 'search.gather', args: { host: 'elsewhere.example' } }),
      /no directory/,
    );
  });

  it('what an account says of being found is carried to another server with its names (XEP-0227)', async () => {
    await open('modules: { search: { number: chosen } }');
    const juliet = await login('juliet');
    ok(await juliet.iq('set', card({ nick: 'Juliet of old' })));
    ok(await juliet.iq('set', say("by-name='true' by-number='false'", '10086')));
    const file = path.join(tempFolder(), 'all.xml');
    const asker = (node: TestNode) => {
      const operations = new Operations(node.node);
      return (command: string, args: Record<string, unknown>) => operations.run({ command, args });
    };
    await exportUsers(asker(stage), {}, file);
    const other = await TestNode.start({ yaml: 'modules: { search: { number: chosen } }' });
    nodes.push(other);
    for (let i = 0; i < 2; i++) await importUsers(asker(other), file);
    const romeo = await other.login('romeo@localhost/y');
    assert.deepEqual(await findNick(romeo, 'of old'), ['juliet@localhost']);
    assert.deepEqual(await findNumber(romeo, '10086'), []);
    const again = await other.login('juliet@localhost/y');
    assert.deepEqual(await entryOf(again), {
      service: SERVICE,
      'by-number': 'false',
      'by-name': 'true',
      number: '10086',
    });
  });
});
