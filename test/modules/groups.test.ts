import assert from 'node:assert/strict';
import { AT_ONCE } from '../../src/api/index.ts';
import { xml } from '../../src/xml/index.ts';
import { type KitSession, ModuleKit, tempFolder, until } from '../kit/index.ts';
import { writeModule } from '../kit/written.ts';

const MUC = 'http://jabber.org/protocol/muc';
const GROUPS = 'urn:posthouse:groups:0';
const GROUP = 'coven@conference.localhost';
/** Sessions that get a group's messages live: more than are told at once. */
const MANY = AT_ONCE + 2000;

/** Counts what goes into outboxes of those that are in no room. */
const COUNTING = `
  globalThis.delivered = 0;
  mod.on('deliver', 'tap', { kind: 'message' }, (_, session) => {
    if (session.jid.local === 'hag66') globalThis.delivered++;
  });
`;
const delivered = (): number => (globalThis as unknown as { delivered: number }).delivered;

describe('groups of many', function () {
  this.timeout(60_000);
  let kit: ModuleKit;
  afterEach(() => kit.close());

  it('what is said goes to very many sessions in portions, in order, and others have their turns', async () => {
    kit = await ModuleKit.open({
      modules: {
        archive: {},
        groups: {},
        messages: {},
        roster: {},
        rooms: {},
        'stanza-id': {},
        [writeModule(tempFolder(), 'counting', COUNTING)]: {},
      },
    });
    const crone = await kit.session('crone1@localhost/desktop');
    await kit.receive(crone, `<presence to='${GROUP}/firstwitch'><x xmlns='${MUC}'/></presence>`);
    const fields = { FORM_TYPE: `${MUC}#roomconfig`, 'muc#roomconfig_persistentroom': '1' };
    const x = xml(
      'x',
      { xmlns: 'jabber:x:data', type: 'submit' },
      ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value))),
    );
    await kit.iq(crone, xml('query', { xmlns: `${MUC}#owner` }, x), { type: 'set', to: GROUP });
    await kit.account('hag66@localhost/x');
    const item = xml('item', { affiliation: 'member', jid: 'hag66@localhost' });
    await kit.iq(crone, xml('query', { xmlns: `${MUC}#admin` }, item), { type: 'set', to: GROUP });
    const hags: KitSession[] = [];
    for (let n = 0; n < MANY; n++) {
      const hag = await kit.session(`hag66@localhost/${n}`);
      await kit.iq(hag, xml('live', { xmlns: GROUPS }), { type: 'set' });
      hag.fresh();
      hags.push(hag);
    }
    const heard = (hag: KitSession): string[] =>
      hag.sent.flatMap(stanza => stanza.getChildText('body') ?? []).filter(body => body !== '');
    // how many deliveries there were at each turn of the event loop
    const turns: number[] = [];
    const before = delivered();
    let going = true;
    const look = (): void => {
      if (delivered() - before > (turns.at(-1) ?? 0)) turns.push(delivered() - before);
      if (going) setImmediate(look);
    };
    setImmediate(look);
    const say = (body: string) =>
      kit.receive(crone, `<message type='groupchat' to='${GROUP}'><body>${body}</body></message>`);
    await Promise.all(['one', 'two', 'three'].map(say));
    await until(
      () => hags.every(hag => heard(hag).length === 3),
      () => 'all to be told',
    );
    going = false;
    assert.equal(turns.at(-1), 3 * MANY);
    const most = Math.max(...turns.map((told, at) => told - (turns[at - 1] ?? 0)));
    assert.ok(most <= AT_ONCE + 500, turns.join(' '));
    for (const hag of hags) assert.deepEqual(heard(hag), ['one', 'two', 'three']);
  });
});
