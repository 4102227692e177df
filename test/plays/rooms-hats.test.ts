import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { admin, cave, enter, error, form, make, ok, ROOM, witches } from './rooms.ts';

const HATS = 'urn:xmpp:hats:0';
const COMMANDS = 'http://jabber.org/protocol/commands';
const DATA = 'jabber:x:data';
const INFO = 'http://jabber.org/protocol/disco#info';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const HOST = 'http://schemas.example.com/hats#host';
const PRESENTER = 'http://schemas.example.com/hats#presenter';

/** Runs a command; without values, its first step. */
function run(client: TestClient, name: string, values?: Readonly<Record<string, string>>): Promise<Element> {
  const x = values ? form({ FORM_TYPE: 'urn:xmpp:hats:commands', ...values }) : '';
  return client.iq('set', `<command xmlns='${COMMANDS}' node='urn:xmpp:hats:commands:${name}'>${x}</command>`, ROOM);
}

/** A form or result that a command answers with. */
function formOf(answer: Element, status: string): Element {
  const command = ok(answer).getChild('command', COMMANDS)!;
  assert.equal(command.attrs.status, status);
  return command.getChild('x', DATA)!;
}

function rowsOf(x: Element): string[] {
  return x.getChildren('item').map(item =>
    item
      .getChildren('field')
      .map(field => field.getChildText('value'))
      .join(' '),
  );
}

/** 'nick: title (uri hue), ...' of each presence that came. */
async function hats(client: TestClient): Promise<string[]> {
  return (await client.settle()).filter(({ name }) => name === 'presence').map(worn);
}

function worn(presence: Element): string {
  const elements = presence.getChild('hats', HATS)?.getChildren('hat') ?? [];
  const texts = elements.map(({ attrs }) => [attrs.title, attrs.uri, attrs.hue].filter(Boolean).join(' '));
  return `${presence.attrs.from!.split('/')[1]}: ${texts.join(', ')}`;
}

const host = { 'hats#title': 'Höst &amp; more', 'hats#uri': HOST, 'hats#hue': '327.255249' };
const presenter = { 'hats#title': 'Presenter', 'hats#uri': PRESENTER };
const onHag = (uri: string) => ({ 'hats#jid': 'hag66@localhost', 'hats#uri': uri });

describe('play: hats in rooms (XEP-0317)', () => {
  let server: TestNode;
  let crone: TestClient;
  let hecate: TestClient;
  let hag: TestClient;

  beforeEach(async () => {
    server = await cave();
    [crone, hecate, hag] = await witches(server, false);
    await make(crone, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' });
    await enter(hecate, 'secondwitch');
    await enter(hag, 'thirdwitch');
    for (const client of [crone, hecate, hag]) await client.settle();
  });
  afterEach(() => server.stop());

  it('what a command cannot do is told apart from what is no action (XEP-0050 4.4)', async () => {
    for (const [action, problem] of [
      ['prev', 'bad-action'],
      ['sing', 'malformed-action'],
    ]) {
      const answer = await crone.iq(
        'set',
        `<command xmlns='${COMMANDS}' node='urn:xmpp:hats:commands:list' action='${action}'/>`,
        ROOM,
      );
      assert.ok(answer.getChild('error')?.getChild(problem!, COMMANDS), answer.toString());
    }
  });

  it('3, 4.2: an admin makes hats, and everybody is told that the room has changed', async () => {
    const form = formOf(await run(crone, 'create'), 'executing');
    const fields = form.getChildren('field').map(({ attrs }) => attrs.var);
    assert.deepEqual(fields, ['FORM_TYPE', 'hats#title', 'hats#uri', 'hats#hue']);
    ok(await run(crone, 'create', host));
    const told = await hag.message();
    const codes = told.getChild('x')!.getChildren('status');
    assert.deepEqual([told.attrs.from, codes.map(({ attrs }) => attrs.code)], [ROOM, ['104']]);
    ok(await run(crone, 'create', presenter));
    assert.deepEqual(rowsOf(formOf(await run(hag, 'list'), 'completed')), [
      `Höst & more ${HOST} 327.255249`,
      `Presenter ${PRESENTER}`,
    ]);
    const info = async (): Promise<Element> =>
      ok(await hag.iq('get', `<query xmlns='${INFO}'/>`, ROOM)).getChild('query')!;
    const hash = async (): Promise<string> =>
      (await info())
        .getChild('x', DATA)!
        .getChildren('field')
        .find(({ attrs }) => attrs.var === 'hats#hash')!
        .getChildText('value')!;
    const features = (await info()).getChildren('feature').map(({ attrs }) => attrs.var);
    assert.ok(features.includes(HATS) && features.includes(COMMANDS));
    const before = await hash();
    assert.match(before, /^[0-9a-f]{40}$/);
    ok(await run(crone, 'create', { ...presenter, 'hats#title': 'Speaker' }));
    assert.notEqual(await hash(), before);
  });

  it('4.1, 4.5, 4.6: hats are shown in presence, to those who are there and to those who come', async () => {
    for (const hat of [host, presenter]) ok(await run(crone, 'create', hat));
    const form = formOf(await run(crone, 'assign'), 'executing');
    const options = form.getChildren('field').at(-1)!.getChildren('option');
    assert.deepEqual(
      options.map(option => option.getChildText('value')),
      [HOST, PRESENTER],
    );
    await hecate.settle();
    ok(await run(crone, 'assign', onHag(PRESENTER)));
    ok(await run(crone, 'assign', onHag(HOST)));
    const both = `Presenter ${PRESENTER}, Höst & more ${HOST} 327.255249`;
    assert.deepEqual(await hats(hecate), [`thirdwitch: Presenter ${PRESENTER}`, `thirdwitch: ${both}`]);
    const phone = await server.login('crone1@localhost/phone');
    const entered = await enter(phone, 'firstwitch');
    assert.deepEqual(
      entered
        .filter(({ name }) => name === 'presence')
        .map(worn)
        .sort(),
      ['firstwitch: ', 'secondwitch: ', `thirdwitch: ${both}`],
    );
    await hecate.settle();
    // under another nickname, and with another presence of the client's own
    hag.send(`<presence to='${ROOM}/hag'/>`);
    hag.send(`<presence to='${ROOM}/hag'><hats xmlns='${HATS}'><hat title='King' uri='urn:x'/></hats></presence>`);
    await hag.settle();
    assert.deepEqual(await hats(hecate), ['thirdwitch: ', `hag: ${both}`, `hag: ${both}`]);
    ok(await run(crone, 'unassign', onHag(PRESENTER)));
    assert.deepEqual(await hats(hecate), [`hag: Höst & more ${HOST} 327.255249`]);
    assert.deepEqual(rowsOf(formOf(await run(crone, 'list-assigned'), 'completed')), [
      `hag66@localhost ${HOST} Höst & more 327.255249`,
    ]);
    assert.equal(error(await run(crone, 'unassign', onHag(PRESENTER))), 'item-not-found cancel');
  });

  it('4.2, 4.3: a hat that is changed or destroyed is so on all who have it', async () => {
    for (const hat of [host, presenter]) ok(await run(crone, 'create', hat));
    for (const uri of [HOST, PRESENTER]) ok(await run(crone, 'assign', onHag(uri)));
    await hecate.settle();
    ok(await run(crone, 'create', { ...presenter, 'hats#title': 'Speaker', 'hats#hue': '1' }));
    assert.deepEqual(await hats(hecate), [`thirdwitch: Höst & more ${HOST} 327.255249, Speaker ${PRESENTER} 1`]);
    ok(await run(crone, 'destroy', { 'hats#uri': HOST }));
    assert.deepEqual(await hats(hecate), [`thirdwitch: Speaker ${PRESENTER} 1`]);
    assert.equal(error(await run(crone, 'destroy', { 'hats#uri': HOST })), 'item-not-found cancel');
    ok(await run(crone, 'destroy', { 'hats#uri': PRESENTER }));
    assert.deepEqual(await hats(hecate), ['thirdwitch: ']);
    ok(await run(crone, 'create', host));
    assert.deepEqual(rowsOf(formOf(await run(crone, 'list-assigned'), 'completed')), []);
  });

  it('only admins and owners do so; others see what they can see anyway', async () => {
    ok(await run(crone, 'create', host));
    ok(await run(crone, 'assign', onHag(HOST)));
    for (const [name, values] of [
      ['create', presenter],
      ['destroy', { 'hats#uri': HOST }],
      ['assign', onHag(HOST)],
      ['unassign', onHag(HOST)],
      ['list-assigned', undefined],
    ] as const)
      assert.equal(error(await run(hag, name, values)), 'forbidden auth', name);
    const listed = async (client: TestClient): Promise<string[]> =>
      ok(await client.iq('get', `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`, ROOM))
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node!.replace('urn:xmpp:hats:commands:', ''));
    assert.deepEqual(await listed(hag), ['list']);
    ok(await admin(crone, 'set', `<item affiliation='admin' jid='wiccarocks@localhost'/>`));
    assert.deepEqual(await listed(hecate), ['create', 'destroy', 'list', 'assign', 'unassign', 'list-assigned']);
    ok(await run(hecate, 'create', presenter));
    hag.send(`<presence type='unavailable' to='${ROOM}/thirdwitch'/>`);
    await hag.settle();
    assert.equal(error(await run(hag, 'list')), 'forbidden auth');
  });

  it('what is no hat is refused, and so are too many', async () => {
    for (const wrong of [
      { ...host, 'hats#hue': '361' },
      { ...host, 'hats#hue': 'red' },
      { ...host, 'hats#uri': 'no uri' },
      { ...host, 'hats#title': ' ' },
      { 'hats#title': 'x' },
    ])
      assert.equal(error(await run(crone, 'create', wrong)), 'not-acceptable modify', JSON.stringify(wrong));
    assert.equal(error(await run(crone, 'assign', onHag(HOST))), 'item-not-found cancel');
    for (let i = 0; i < 50; i++) ok(await run(crone, 'create', { 'hats#title': 'T', 'hats#uri': `urn:x:${i}` }));
    assert.equal(error(await run(crone, 'create', host)), 'resource-constraint wait');
    ok(await run(crone, 'create', { 'hats#title': 'U', 'hats#uri': 'urn:x:0' }));
    for (let i = 0; i < 10; i++) ok(await run(crone, 'assign', onHag(`urn:x:${i}`)));
    ok(await run(crone, 'assign', onHag('urn:x:0')));
    assert.equal(error(await run(crone, 'assign', onHag('urn:x:10'))), 'resource-constraint wait');
  });

  it('hats outlive the program and whoever left, but not the account', async () => {
    ok(await run(crone, 'create', host));
    ok(await run(crone, 'assign', onHag(HOST)));
    await server.stop({ keep: true });
    server = await TestNode.start({ folder: server.folder, yaml: 'modules: { rooms: {} }' });
    crone = await server.login('crone1@localhost/desktop');
    await enter(crone, 'firstwitch');
    hag = await server.login('hag66@localhost/pda');
    await enter(hag, 'thirdwitch');
    assert.deepEqual(await hats(crone), [`thirdwitch: Höst & more ${HOST} 327.255249`]);
    await server.node.accounts.remove(parseJid('hag66@localhost')!);
    assert.deepEqual(rowsOf(formOf(await run(crone, 'list-assigned'), 'completed')), []);
  });
});
