import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import {
  byFields,
  byForm,
  card,
  entryOf,
  findNick,
  findNumber,
  foundIn,
  nickname,
  page,
  RSM,
  say,
  SEARCH,
  SERVICE,
  valueOf,
} from './directory.ts';
import { features, INFO, ok } from './verona.ts';

const YAML = `hosts: { localhost: {}, verona.example: {} }
modules:
  search: { byName: true, results: 30, page: 10, searchesPerMinute: 100000, searchesPerDay: 1000000, peoplePerDay: 1000000 }
`;
const GET = `<query xmlns='${SEARCH}'/>`;
const block = (jid: string) => `<block xmlns='urn:xmpp:blocking'><item jid='${jid}'/></block>`;

describe('play: searching people (XEP-0055)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  const clients = new Map<string, TestClient>();

  /** Somebody with a card. */
  async function person(name: string, names: Parameters<typeof card>[0] = {}): Promise<TestClient> {
    await stage.addUser(name);
    const client = await stage.login(`${name}@localhost/x`);
    ok(await client.iq('set', card(names)));
    clients.set(name, client);
    return client;
  }

  before(async () => {
    stage = await TestNode.start({ yaml: YAML });
    romeo = await person('romeo', { nick: 'Romeo', first: 'Romeo', last: 'Montague', full: 'Romeo Montague' });
    await person('10086', { nick: 'Juli', first: 'Juliet', last: 'Capulet', full: 'Juliet Capulet' });
    await person('tybalt', { nick: 'ty', first: 'Tybalt', last: 'Capulet' });
  });
  after(() => stage.stop());

  const items = (answer: Element) => ok(answer).getChild('query', SEARCH)!.getChildren('item');
  const find = async (typed: Record<string, string>) => foundIn(await romeo.iq('set', byFields(typed), SERVICE));

  it('the service is an item of the host, a directory of users, with its features', async () => {
    const hosts = ok(await romeo.iq('get', "<query xmlns='http://jabber.org/protocol/disco#items'/>", 'localhost'));
    assert(
      hosts
        .getChild('query')!
        .getChildren('item')
        .some(({ attrs }) => attrs.jid === SERVICE),
    );
    const info = await romeo.iq('get', INFO, SERVICE);
    const { category, type } = ok(info).getChild('query')!.getChild('identity')!.attrs;
    assert.deepEqual([category, type], ['directory', 'user']);
    for (const feature of [SEARCH, RSM]) assert(features(info).includes(feature));
  });

  it('tells its fields, and a form with the same and the number (2.1, 3)', async () => {
    const query = ok(await romeo.iq('get', GET, SERVICE)).getChild('query', SEARCH)!;
    assert(query.getChildText('instructions'));
    assert.deepEqual(
      query.getChildElements().map(({ name }) => name),
      ['instructions', 'first', 'last', 'nick', 'x'],
    );
    const x = query.getChild('x', 'jabber:x:data')!;
    assert.equal(x.attrs.type, 'form');
    assert.deepEqual(
      x.getChildren('field').map(({ attrs }) => [attrs.var, attrs.type]),
      [
        ['FORM_TYPE', 'hidden'],
        ['x-number', 'text-single'],
        ['nick', 'text-single'],
        ['first', 'text-single'],
        ['last', 'text-single'],
      ],
    );
    assert.equal(valueOf(x, 'FORM_TYPE'), SEARCH);
  });

  it('finds by fields, all of which must fit (2.1)', async () => {
    const answer = await romeo.iq('set', byFields({ last: 'Capulet' }), SERVICE);
    assert.deepEqual(
      items(answer).map(item => [item.attrs.jid, ...['first', 'last', 'nick'].map(name => item.getChildText(name))]),
      [
        ['10086@localhost', 'Juliet', 'Capulet', 'Juli'],
        ['tybalt@localhost', 'Tybalt', 'Capulet', 'ty'],
      ],
    );
    assert.deepEqual(await find({ last: 'capu', first: 'tyb' }), ['tybalt@localhost']);
    assert.deepEqual(await find({ last: 'capulet', nick: 'Juliet' }), ['10086@localhost']);
    assert.deepEqual(await find({ last: 'Montague', nick: 'ty' }), []);
    assert.deepEqual(await find({ first: 'Montague' }), []);
  });

  it('nobody is an empty query, however it was asked (2.1; XEP-0059 2.2)', async () => {
    for (const asked of [
      byFields({ nick: 'mercutio' }),
      byForm({ nick: 'mercutio' }),
      byForm({ 'x-number': 'mercutio' }),
      byFields({ nick: 'mercutio' }, page({ max: '10' })),
    ]) {
      const query = ok(await romeo.iq('set', asked, SERVICE)).getChild('query', SEARCH)!;
      assert.deepEqual(query.children, [], asked);
    }
  });

  it('finds by the form, and answers with one (3)', async () => {
    const x = ok(await romeo.iq('set', byForm({ nick: 'juli' }), SERVICE))
      .getChild('query', SEARCH)!
      .getChild('x', 'jabber:x:data')!;
    assert.equal(valueOf(x, 'FORM_TYPE'), SEARCH);
    assert.deepEqual(
      x
        .getChild('reported')!
        .getChildren('field')
        .map(({ attrs }) => [attrs.var, attrs.type]),
      [
        ['jid', 'jid-single'],
        ['nick', 'text-single'],
        ['first', 'text-single'],
        ['last', 'text-single'],
      ],
    );
    const [item, ...none] = x.getChildren('item');
    assert.deepEqual(none, []);
    assert.deepEqual(
      ['jid', 'nick', 'first', 'last'].map(name => valueOf(item!, name)),
      ['10086@localhost', 'Juli', 'Juliet', 'Capulet'],
    );
  });

  it('a number finds the one who has it, and only the whole number does', async () => {
    assert.deepEqual(await findNumber(romeo, '10086'), ['10086@localhost']);
    assert.deepEqual(await findNumber(romeo, ' ROMEO '), ['romeo@localhost']);
    for (const number of ['1008', '0086', '100861', 'nobody']) assert.deepEqual(await findNumber(romeo, number), []);
    // together with a name, both must fit
    const both = (nick: string) => romeo.iq('set', byForm({ 'x-number': '10086', nick }), SERVICE);
    assert.deepEqual(foundIn(await both('capul')), ['10086@localhost']);
    assert.deepEqual(foundIn(await both('romeo')), []);
    // no name is a number
    assert.deepEqual(await findNick(romeo, '10086'), []);
  });

  it('what is no search is refused, with a reason', async () => {
    const form = (type: string, formType: string) =>
      `<query xmlns='${SEARCH}'><x xmlns='jabber:x:data' type='${type}'><field var='FORM_TYPE'><value>${formType}</value></field></x></query>`;
    for (const [asked, expected] of [
      [byFields({}), 'not-acceptable'],
      [byFields({ nick: ' ' }), 'not-acceptable'],
      [byFields({ nick: '🌹' }), 'not-acceptable'],
      [byFields({ email: 'romeo@example.org' }), 'not-acceptable'],
      [byFields({ nick: 'x'.repeat(201) }), 'not-acceptable'],
      [byForm({ nick: 'x'.repeat(201) }), 'not-acceptable'],
      [byForm({ 'x-number': 'a b@c' }), 'not-acceptable'],
      [form('submit', 'urn:other'), 'bad-request'],
      [form('form', SEARCH), 'bad-request'],
      [byFields({ nick: 'juli' }, page({ max: 'x' })), 'bad-request'],
      [byFields({ nick: 'juli' }, page({ index: '3' })), 'feature-not-implemented'],
      [byFields({ nick: 'juli' }, page({ after: 'nobody@localhost' })), 'item-not-found'],
      [byFields({ nick: 'juli' }, page({ before: 'nobody@localhost' })), 'item-not-found'],
    ] as const) {
      const answer = await romeo.iq('set', asked, SERVICE);
      assert.equal(condition(answer), expected, asked);
    }
    assert.equal(condition(await romeo.iq('get', GET, `x@${SERVICE}`)), 'service-unavailable');
  });

  it('what is shorter than allowed finds only who is called just that', async () => {
    await person('dragon', { nick: '龍' });
    await person('dragons', { nick: '龍馬' });
    assert.deepEqual(await findNick(romeo, '龍'), ['dragon@localhost']);
    assert.deepEqual(await findNick(romeo, '龍馬'), ['dragons@localhost']);
    assert.deepEqual(await findNick(romeo, 'r'), []);
  });

  describe('names of all kinds', () => {
    before(async () => {
      await person('wang', { last: '王', first: '小明', full: '王小明' });
      await person('wang2', { nick: '王大明' });
      await person('sakura', { nick: 'さくら', full: 'サクラ　ハルノ' });
      await person('minsu', { full: '김민수', nick: '민수♥' });
      await person('jose', { nick: 'José', full: 'José Müller-Lüdenscheidt' });
      await person('strauss', { full: 'Johann Strauß' });
      await person('half', { nick: 'ｶﾞﾌﾞﾘｴﾙ' });
      await person('chen', { nick: '陳小龍' });
      await person('yoshino', { nick: '𠮷野家' });
    });

    for (const [typed, ...accounts] of [
      ['小明', 'wang'],
      ['王小', 'wang'],
      ['王 小明', 'wang'],
      ['大明', 'wang2'],
      ['サクラ', 'sakura'],
      ['ｻｸﾗ', 'sakura'],
      ['はるの', 'sakura'],
      ['김민', 'minsu'],
      ['민수', 'minsu'],
      ['ＪＯＳＥ', 'jose'],
      ['muller', 'jose'],
      ['MÜLLER', 'jose'],
      ['lüdensch', 'jose'],
      ['denschei', 'jose'],
      ['muller jose', 'jose'],
      ['jose lud', 'jose'],
      ['strauss', 'strauss'],
      ['がぶり', 'half'],
      ['𠮷野', 'yoshino'],
      ['野家', 'yoshino'],
      ['小龙', 'chen'],
      ['陈小', 'chen'],
      ['明小'],
      ['jose strauss'],
    ] as const) {
      it(typed, async () => {
        assert.deepEqual(
          await findNick(romeo, typed),
          accounts.map(name => `${name}@localhost`),
        );
      });
    }

    it('given and family names are asked for apart', async () => {
      assert.deepEqual(await find({ first: '小明' }), ['wang@localhost']);
      assert.deepEqual(await find({ first: '小明', last: '王' }), ['wang@localhost']);
      assert.deepEqual(await find({ last: '小明' }), []);
    });
  });

  describe('in pages (XEP-0059)', () => {
    before(async () => {
      for (let i = 0; i < 35; i++) await person(`anna${String(i).padStart(2, '0')}`, { nick: `Anna ${i + 10}` });
    });
    const ask = async (wishes: Record<string, string> | undefined) => {
      const answer = await romeo.iq('set', byFields({ nick: 'anna' }, wishes && page(wishes)), SERVICE);
      const set = ok(answer).getChild('query', SEARCH)!.getChild('set', RSM);
      return {
        found: foundIn(answer).map(jid => Number(/\d+/.exec(jid!)![0])),
        index: set?.getChild('first')?.attrs.index,
        first: set?.getChildText('first') ?? undefined,
        last: set?.getChildText('last') ?? undefined,
        count: set?.getChildText('count') ?? undefined,
      };
    };
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

    it('forwards, no more than the host lets anybody see', async () => {
      const seen: number[] = [];
      let { found, last, index, count } = await ask({ max: '7' });
      assert.deepEqual([index, count], ['0', '30']);
      while (found.length > 0) {
        assert.equal(index, String(seen.length));
        seen.push(...found);
        ({ found, last, index, count } = await ask({ max: '7', after: last! }));
      }
      assert.deepEqual(seen, numbers(0, 30));
      // 2.2: an empty page of a list that is not empty
      assert.deepEqual([index, last, count], [undefined, undefined, '30']);
    });

    it('backwards from the end, and from somewhere', async () => {
      const end = await ask({ max: '4', before: '' });
      assert.deepEqual([end.found, end.index], [numbers(26, 30), '26']);
      const before = await ask({ max: '4', before: end.first! });
      assert.deepEqual(before.found, numbers(22, 26));
      assert.deepEqual((await ask({ max: '20', before: 'anna02@localhost' })).found, numbers(0, 2));
    });

    it('just the number of people; no page is longer than the host has it; without a word of pages one learns of them', async () => {
      const none = await ask({ max: '0' });
      assert.deepEqual([none.found, none.first, none.count], [[], undefined, '30']);
      assert.equal((await ask({ max: '1000' })).found.length, 10);
      const plain = await ask(undefined);
      assert.deepEqual([plain.found.length, plain.count], [10, '30']);
      const alone = ok(await romeo.iq('set', byFields({ nick: 'anna 12' }), SERVICE)).getChild('query', SEARCH)!;
      assert.equal(alone.getChild('set', RSM), undefined);
    });

    it('who is called just so comes first, then who is called something that begins so, then the others', async () => {
      await person('susanna', { nick: 'Susanna' });
      await person('maria', { nick: 'Maria Ann' });
      await person('ann', { nick: 'Ann' });
      const answer = await romeo.iq('set', byFields({ nick: 'ann' }, page({ max: '1' })), SERVICE);
      assert.deepEqual(foundIn(answer), ['ann@localhost']);
      assert.deepEqual(await findNick(romeo, 'susanna'), ['susanna@localhost']);
      assert.deepEqual(await findNick(romeo, 'maria'), ['maria@localhost']);
    });
  });

  describe('who may be found', () => {
    it('says so, in each way, and it counts at once; a server has a rule for those who say nothing', async () => {
      const juliet = await person('juliet', { nick: 'Lady of the balcony' });
      const seen = async () => [
        (await findNumber(romeo, 'juliet')).length === 1,
        (await findNick(romeo, 'balcony')).length === 1,
      ];
      const how = async () => {
        const {
          'by-number': number,
          'by-name': name,
          default: unsaid,
        } = (await entryOf(juliet)) as Record<string, string>;
        return [number, name, unsaid];
      };
      assert.deepEqual(await seen(), [true, true]);
      assert.deepEqual(await how(), ['true', 'true', 'by-number by-name']);
      for (const [said, expected, unsaid] of [
        ["by-name='false'", [true, false], 'by-number'],
        ["by-number='0'", [false, false], undefined],
        ["by-name='1'", [false, true], undefined],
        ["by-number='default' by-name='default'", [true, true], 'by-number by-name'],
        ["by-number='false' by-name='false'", [false, false], undefined],
      ] as const) {
        ok(await juliet.iq('set', say(said)));
        assert.deepEqual(await seen(), expected, said);
        assert.deepEqual(await how(), [...expected.map(String), unsaid], said);
      }
      // a new card makes nobody be found
      ok(await juliet.iq('set', card({ nick: 'Balcony' })));
      assert.deepEqual(await seen(), [false, false]);
    });

    it('nonsense is refused, and nobody says it for another', async () => {
      const juliet = clients.get('juliet')!;
      assert.equal(condition(await juliet.iq('set', say("by-name='maybe'"))), 'bad-request');
      assert.equal(condition(await juliet.iq('set', say("by-name='toString'"))), 'bad-request');
      assert.equal(condition(await juliet.iq('set', say('', '123'))), 'not-allowed');
      assert.equal(condition(await romeo.iq('set', say("by-name='true'"), 'juliet@localhost')), 'service-unavailable');
      assert.equal(
        condition(await romeo.iq('get', "<entry xmlns='urn:posthouse:directory:0'/>", 'juliet@localhost')),
        'service-unavailable',
      );
      assert.deepEqual(await entryOf(juliet), {
        service: SERVICE,
        'by-number': 'false',
        'by-name': 'false',
        number: 'juliet',
      });
    });

    it('by a command as well (XEP-0050)', async () => {
      const juliet = clients.get('juliet')!;
      const COMMANDS = 'http://jabber.org/protocol/commands';
      const node = 'urn:posthouse:directory:0#entry';
      const first = ok(await juliet.iq('set', `<command xmlns='${COMMANDS}' node='${node}'/>`, 'localhost'));
      const command = first.getChild('command', COMMANDS)!;
      const form = command.getChild('x', 'jabber:x:data')!;
      assert.deepEqual(
        form.getChildren('field').map(({ attrs }) => attrs.var),
        ['FORM_TYPE', 'by-number', 'by-name'],
      );
      assert.equal(valueOf(form, 'by-name'), '0');
      const submit = `<x xmlns='jabber:x:data' type='submit'><field var='by-number'><value>1</value></field><field var='by-name'><value>default</value></field></x>`;
      const done = ok(
        await juliet.iq(
          'set',
          `<command xmlns='${COMMANDS}' node='${node}' sessionid='${command.attrs.sessionid}'>${submit}</command>`,
          'localhost',
        ),
      );
      assert.equal(done.getChild('command')!.attrs.status, 'completed');
      const { 'by-number': number, default: unsaid } = (await entryOf(juliet)) as Record<string, string>;
      assert.deepEqual([number, unsaid], ['true', 'by-name']);
    });

    it('who has blocked somebody is not found by him, nor counted', async () => {
      const juliet = await person('paris', { nick: 'Count Paris' });
      ok(await juliet.iq('set', block('romeo@localhost')));
      assert.deepEqual(await findNumber(romeo, 'paris'), []);
      assert.deepEqual(await findNick(romeo, 'count paris'), []);
      const others = clients.get('tybalt')!;
      assert.deepEqual(await findNumber(others, 'paris'), ['paris@localhost']);
      assert.deepEqual(await findNick(others, 'count paris'), ['paris@localhost']);
      const counted = async () => {
        const answer = ok(await romeo.iq('set', byFields({ nick: 'count' }, page({ max: '0' })), SERVICE));
        return answer.getChild('query', SEARCH)!.children.length;
      };
      assert.equal(await counted(), 0);
      ok(await juliet.iq('set', "<unblock xmlns='urn:xmpp:blocking'/>"));
      assert.equal(await counted(), 1);
      // a whole domain
      ok(await juliet.iq('set', block('localhost')));
      assert.equal(await counted(), 0);
    });

    it('disabled accounts are not found, and removed ones leave nothing', async () => {
      const { accounts } = stage.node;
      const friar = await person('friar', { nick: 'Friar Laurence' });
      ok(await friar.iq('set', say("by-number='true'")));
      const jid = stage.node.accounts.list('localhost').then(list => list.find(one => one.jid.local === 'friar')!.jid);
      const seen = async () => [...(await findNumber(romeo, 'friar')), ...(await findNick(romeo, 'laurence'))].length;
      assert.equal(await seen(), 2);
      await accounts.setStatus(await jid, 'disabled');
      assert.equal(await seen(), 0);
      await accounts.setStatus(await jid, 'active');
      assert.equal(await seen(), 2);
      assert((await stage.tablesWith(({ account }) => account === 'friar@localhost')).includes('search_people'));
      const before = await terms();
      await accounts.remove(await jid);
      assert.equal(await seen(), 0);
      assert.deepEqual(await stage.tablesWith(({ account }) => account === 'friar@localhost'), []);
      assert(before - (await terms()) >= 12);
      // somebody else of that name
      await stage.addUser('friar');
      assert.deepEqual(await findNick(romeo, 'laurence'), []);
    });
    const terms = () => stage.node.storage.read(q => q('search_terms').select()).then(rows => rows.length);
  });

  describe('who finds', () => {
    it('accounts of the host, and nobody else', async () => {
      await stage.addUser('stranger', 'verona.example');
      const stranger = await stage.login('stranger@verona.example/x');
      for (const type of ['get', 'set'] as const)
        assert.equal(condition(await stranger.iq(type, byFields({ nick: 'juli' }), SERVICE)), 'forbidden');
      // each host has its own
      assert.deepEqual(await findNick(stranger, 'juli', 'search.verona.example'), []);
      assert.equal(condition(await romeo.iq('get', GET, 'search.verona.example')), 'forbidden');
    });
  });

  describe('what people are called follows what they say', () => {
    it('their card (XEP-0054), and the nickname that they publish (XEP-0172), which goes before it', async () => {
      const rosaline = await person('rosaline', { nick: 'Rosa', full: 'Rosaline' });
      ok(await rosaline.iq('set', nickname('Fair Niece')));
      assert.deepEqual(await findNick(romeo, 'fair niece'), ['rosaline@localhost']);
      assert.deepEqual(await findNick(romeo, 'rosa'), ['rosaline@localhost']);
      const [item] = items(await romeo.iq('set', byFields({ nick: 'niece' }), SERVICE));
      assert.equal(item!.getChildText('nick'), 'Fair Niece');
      ok(await rosaline.iq('set', card({ nick: 'Rose' })));
      ok(await rosaline.iq('set', nickname('')));
      assert.deepEqual(await findNick(romeo, 'niece'), []);
      assert.deepEqual(await findNick(romeo, 'rosaline'), []);
      assert.deepEqual(await findNick(romeo, 'rose'), ['rosaline@localhost']);
      const retract = `<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='http://jabber.org/protocol/nick'/></pubsub>`;
      ok(await rosaline.iq('set', nickname('Gone soon')));
      ok(await rosaline.iq('set', retract));
      assert.deepEqual(await findNick(romeo, 'gone soon'), []);
    });

    it('several nicknames of a card, and no more of a long one than there is room for', async () => {
      await person('many', { nick: `One, Two,${' x'.repeat(500)}, Last`, full: `Full\n\tname \u0007` });
      for (const nick of ['one', 'two', 'last', 'full name'])
        assert.deepEqual(await findNick(romeo, nick), ['many@localhost']);
    });
  });
});
