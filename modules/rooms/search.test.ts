import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { Element, serialize, xml } from '../../src/xml/index.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { DEFAULTS, type RoomConfig } from './config.ts';
import type { Found } from './finding.ts';
import { listRooms } from './listing.ts';
import { Search, SEARCH } from './search.ts';
import { roomStore, type RoomStore } from './store.ts';

const DOMAIN = 'chat.shakespeare.lit';
const service = parseJid(DOMAIN)!;
const crone = parseJid('crone1@shakespeare.lit')!;
/** Enough for several slices. */
const CROWD = 450;

describe('rooms that are listed', () => {
  let storage: Storage;
  let store: RoomStore;
  let search: Search;
  const occupied = new Map<string, Found>();

  before(async function () {
    this.timeout(60_000);
    storage = await openStorage({ dataDir: tempFolder() });
    await storage.migrate('rooms/rooms', roomStore.migrations);
    store = await roomStore.open(storage);
    const lit = (name: string, config: Partial<RoomConfig> = {}) => make(name, { ...DEFAULTS, ...config });
    await Promise.all([
      lit('coven', { name: 'A Dark Cave', description: 'The place for all good witches!' }),
      lit('heath', { name: 'A Lonely Heath', whois: 'anyone', membersOnly: true, language: 'en' }),
      lit('forres', { name: 'The Palace of WITCHCRAFT' }),
      lit('cellar', { name: 'A dark cellar', listed: false }),
      ...Array.from({ length: CROWD }, (_, i) => lit(`r${String(i).padStart(3, '0')}`)),
    ]);
    search = new Search({
      lists: store.lists,
      occupied: domain => [...occupied.values()].filter(({ jid }) => jid.endsWith(`@${domain}`)),
      occupants: jid => occupied.get(jid)?.occupants ?? 0,
    });
  });
  after(() => storage.close());

  function make(name: string, config: RoomConfig): Promise<number> {
    const jid = parseJid(`${name}@${DOMAIN}`)!;
    return store.create({ jid, creator: crone, config, locked: false, created: 1 }, []);
  }

  function enter(name: string, occupants: number, config: Partial<RoomConfig> = {}): void {
    const jid = `${name}@${DOMAIN}`;
    occupied.set(jid, { jid, occupants, config: { ...DEFAULTS, ...config } });
  }

  const names = (addresses: readonly (string | undefined)[]) => addresses.map(jid => jid!.slice(0, jid!.indexOf('@')));
  const setOf = (wishes: Record<string, string>) =>
    xml('set', { xmlns: NS.rsm }, ...Object.entries(wishes).map(([name, value]) => xml(name, {}, value)));

  describe('XEP-0045 6.3: disco#items', () => {
    async function list(wishes?: Record<string, string>) {
      const query = xml('query', { xmlns: NS.discoItems }, wishes && setOf(wishes));
      const all = await listRooms(store.lists, DOMAIN, query);
      assert.ok(!(all instanceof StanzaError));
      const items = all.filter(({ name }) => name === 'item');
      const set = all.find(({ name }) => name === 'set');
      return { items, names: names(items.map(({ attrs }) => attrs.jid)), set: set && serialize(set) };
    }
    const page = (first: string, index: number, last: string) =>
      `<set xmlns="${NS.rsm}"><first index="${index}">${first}@${DOMAIN}</first><last>${last}@${DOMAIN}</last>` +
      `<count>${CROWD + 3}</count></set>`;

    it('a long list is a page, and says so (XEP-0059)', async () => {
      const { names, set, items } = await list();
      assert.equal(names.length, 100);
      assert.deepEqual(names.slice(0, 4), ['coven', 'forres', 'heath', 'r000']);
      assert.equal(set, page('coven', 0, 'r096'));
      assert.deepEqual(
        items.slice(2, 4).map(({ attrs }) => attrs.name),
        ['A Lonely Heath', undefined],
      );
    });

    it('forwards, backwards, the last page, the number alone', async () => {
      const forth = await list({ max: '2', after: `forres@${DOMAIN}` });
      assert.deepEqual([forth.names, forth.set], [['heath', 'r000'], page('heath', 2, 'r000')]);
      const back = await list({ max: '2', before: `heath@${DOMAIN}` });
      assert.deepEqual([back.names, back.set], [['coven', 'forres'], page('coven', 0, 'forres')]);
      const end = await list({ max: '2', before: '' });
      assert.deepEqual([end.names, end.set], [['r448', 'r449'], page('r448', CROWD + 1, 'r449')]);
      const count = await list({ max: '0' });
      assert.deepEqual([count.names, count.set], [[], `<set xmlns="${NS.rsm}"><count>${CROWD + 3}</count></set>`]);
    });

    it('a short list is whole, without a set', async () => {
      assert.deepEqual(await listRooms(store.lists, 'other.lit', xml('query', { xmlns: NS.discoItems })), []);
    });
  });

  describe('XEP-0433', () => {
    const ask = (fields: Record<string, string>, wishes?: Record<string, string>) => {
      const x = xml(
        'x',
        { xmlns: NS.dataForms, type: 'submit' },
        ...Object.entries({ FORM_TYPE: 'urn:xmpp:channel-search:0:search-params', ...fields }).map(([name, value]) =>
          xml('field', { var: name }, xml('value', {}, value)),
        ),
      );
      return search.answer({ payload: xml('search', { xmlns: SEARCH }, wishes && setOf(wishes), x), to: service });
    };
    async function found(fields: Record<string, string>, wishes?: Record<string, string>) {
      const result = await ask(fields, wishes);
      assert.ok(result instanceof Element && result.is('result', SEARCH));
      const set = result.getChild('set', NS.rsm)!;
      const place = (name: string) => set.getChildText(name, NS.rsm) ?? undefined;
      const items = result.getChildren('item', SEARCH);
      return {
        items,
        names: names(items.map(({ attrs }) => attrs.address)),
        first: place('first'),
        last: place('last'),
      };
    }
    async function refused(fields: Record<string, string>): Promise<string> {
      const error = await ask(fields);
      assert.ok(error instanceof StanzaError);
      const { condition, type, application } = error;
      assert.equal(application?.getNS(), 'urn:xmpp:channel-search:0:error');
      const vars = application.getChildren('var').map(it => it.getText());
      return `${condition} ${type} ${application.name} ${vars.join()}`.trim();
    }
    const ADDRESS = { key: '{urn:xmpp:channel-search:0:order}address' };

    afterEach(() => occupied.clear());

    it('4.2.1: gives its form with what holds when nothing is said', async () => {
      const answer = await search.answer({ payload: xml('search', { xmlns: SEARCH }), to: service });
      const form = (answer as Element).getChild('x', NS.dataForms)!;
      assert.equal(form.attrs.type, 'form');
      const fields = new Map(
        form.getChildren('field').map(field => [field.attrs.var, field.getChildText('value', NS.dataForms)]),
      );
      assert.equal(fields.get('FORM_TYPE'), 'urn:xmpp:channel-search:0:search-params');
      assert.deepEqual(
        ['sinname', 'sindescription', 'sinaddress', 'types', 'key'].map(name => fields.get(name)),
        ['1', '1', '1', 'xep-0045', '{urn:xmpp:channel-search:0:order}nusers'],
      );
    });

    it('4.2.2: words are found in names, descriptions and addresses, whatever their case; hidden rooms are not', async () => {
      assert.deepEqual((await found({ q: 'witch', ...ADDRESS })).names, ['coven', 'forres']);
      assert.deepEqual((await found({ q: 'DARK cave' })).names, ['coven']);
      assert.deepEqual((await found({ q: 'heath' })).names, ['heath']);
      assert.deepEqual(
        (await found({ q: 'r44', ...ADDRESS })).names,
        Array.from({ length: 10 }, (_, i) => `r44${i}`),
      );
      assert.deepEqual((await found({ q: 'witch', sindescription: '0' })).names, ['forres']);
      assert.deepEqual((await found({ q: 'coven', sinaddress: 'false' })).names, []);
      assert.deepEqual((await found({ q: 'witch', types: 'xep-0369' })).names, []);
    });

    it('5.2: what is told of a room', async () => {
      enter('heath', 7, { name: 'A Lonely Heath' });
      const [heath] = (await found({ q: 'lonely', ...ADDRESS })).items;
      assert.equal(
        serialize(heath!),
        `<item address="heath@${DOMAIN}"><name>A Lonely Heath</name><language>en</language><nusers>7</nusers>` +
          '<service-type>xep-0045</service-type><anonymity-mode>{urn:xmpp:channel-search:0:anonymity}none</anonymity-mode></item>',
      );
      const [coven] = (await found({ q: 'cave' })).items;
      assert.equal(coven!.getChildText('is-open'), 'true');
      assert.equal(coven!.getChildText('anonymity-mode'), 'muc_semianonymous');
    });

    it('all rooms are there once, page by page, by address and by occupants', async () => {
      enter('r100', 5);
      enter('r300', 9);
      enter('r200', 5);
      enter('heath', 0);
      for (const order of [ADDRESS, {}]) {
        const all: string[] = [];
        for (let after: string | undefined; ;) {
          const page = await found({ all: '1', ...order }, { max: '70', ...(after !== undefined && { after }) });
          if (page.names.length === 0) break;
          all.push(...page.names);
          after = page.last;
        }
        assert.equal(all.length, CROWD + 3);
        assert.equal(new Set(all).size, all.length);
        const first = order === ADDRESS ? ['coven', 'forres', 'heath', 'r000'] : ['r300', 'r100', 'r200', 'coven'];
        assert.deepEqual(all.slice(0, 4), first);
      }
    });

    it('backwards, and the last page', async () => {
      const last = await found({ all: '1', ...ADDRESS }, { max: '2', before: '' });
      assert.deepEqual(last.names, ['r448', 'r449']);
      const before = await found({ all: '1', ...ADDRESS }, { max: '2', before: last.first! });
      assert.deepEqual(before.names, ['r446', 'r447']);
      assert.deepEqual((await found({ all: '1' }, { max: '0' })).names, []);
    });

    it('so many occupants at least', async () => {
      enter('r100', 5);
      enter('r200', 2);
      assert.deepEqual((await found({ all: '1', min_users: '3' })).names, ['r100']);
    });

    it('4.2.2: its errors', async () => {
      assert.equal(await refused({ q: 'x', key: 'size' }), 'feature-not-implemented modify invalid-sort-key');
      assert.equal(await refused({ q: '!?' }), 'bad-request modify invalid-search-terms');
      assert.equal(await refused({ q: 'a', all: '1' }), 'bad-request modify conflicting-fields all,q');
      assert.equal(await refused({}), 'bad-request cancel no-search-conditions');
      const many = await Promise.all(Array.from({ length: 5 }, () => ask({ q: 'nothing like that' })));
      const error = many.at(-1) as StanzaError;
      assert.equal(many.filter(it => it instanceof StanzaError).length, 1);
      assert.deepEqual([error.condition, error.type], ['resource-constraint', 'wait']);
      assert.equal(error.application!.attrs['retry-after'], '5');
    });
  });
});
