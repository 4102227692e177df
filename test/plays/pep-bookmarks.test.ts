import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { wantAsked } from './caps.ts';
import { befriend } from './people.ts';
import { error, eventsOf, form, get, MANY_PRIVATE, OWN, owner, publish, pubsub, said } from './pubsub.ts';
import { features, INFO, ok, verona } from './verona.ts';

const NATIVE = 'urn:xmpp:bookmarks:1';
const OLD = 'storage:bookmarks';
const PRIVATE = 'jabber:iq:private';

describe('play: bookmarks are one list (XEP-0402 6.3, XEP-0048, XEP-0049)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  afterEach(() => stage.stop());

  const native = (room: string, attributes = '', content = '') =>
    `<item id='${room}'><conference xmlns='${NATIVE}'${attributes}>${content}</conference></item>`;
  const mark = (room: string, attributes = '', content = '') =>
    publish(romeo, NATIVE, native(room, attributes, content), OWN, MANY_PRIVATE);
  const storage = (content: string) => `<storage xmlns='${OLD}'>${content}</storage>`;
  const old = (room: string, attributes = '', content = '') =>
    `<conference jid='${room}'${attributes}>${content}</conference>`;

  const brief = ({ attrs, ...rest }: Element, jid = attrs.jid) => {
    const nick = rest.children.find((child): child is Element => typeof child === 'object' && child.name === 'nick');
    return [jid, attrs.name, attrs.autojoin, nick?.getText()].filter(part => part !== undefined).join(' ');
  };
  const natives = async () => {
    const items = said(ok(await get(romeo, NATIVE, OWN)), 'items').getChildren('item');
    return items
      .map(item => brief(item.getChild('conference', NATIVE)!, item.attrs.id))
      .toSorted((a, b) => (a < b ? -1 : 1));
  };
  const listed = (list: Element | undefined) =>
    (list?.getChildren('conference') ?? []).map(element => brief(element)).toSorted((a, b) => (a < b ? -1 : 1));
  const inPrivate = async () => {
    const answer = ok(await romeo.iq('get', `<query xmlns='${PRIVATE}'>${storage('')}</query>`));
    return answer.getChild('query')!.getChild('storage', OLD)!;
  };
  const inNode = async () => {
    const answer = await get(romeo, OLD, OWN);
    return answer.getChild('pubsub')!.getChild('items')?.getChild('item')?.getChild('storage', OLD);
  };

  it('is said by the account', async () => {
    const all = features(await romeo.iq('get', INFO));
    assert.ok(all.includes(`${NATIVE}#compat`) && all.includes(`${NATIVE}#compat-pep`));
  });

  it('what is kept as items is in the lists too', async () => {
    await wantAsked(romeo, [OLD]);
    await romeo.settle();
    ok(await mark('play@rooms.localhost', ` name='The Play' autojoin='1'`, '<nick>JC</nick>'));
    assert.deepEqual(eventsOf(await romeo.settle()), [`items ${OLD} +current`]);
    ok(await mark('orchard@rooms.localhost'));
    const expected = ['orchard@rooms.localhost', 'play@rooms.localhost The Play true JC'];
    assert.deepEqual(listed(await inPrivate()), expected);
    assert.deepEqual(listed(await inNode()), expected);
    assert.deepEqual(eventsOf(await romeo.settle()), [`items ${OLD} +current`]);
    ok(
      await romeo.iq(
        'set',
        pubsub(`<retract node='${NATIVE}' notify='1'><item id='orchard@rooms.localhost'/></retract>`),
      ),
    );
    assert.deepEqual(listed(await inPrivate()), expected.slice(1));
    assert.deepEqual(listed(await inNode()), expected.slice(1));
  });

  it('what is written as a list into private storage becomes items; only what is new is told, and extensions stay', async () => {
    ok(await mark('play@rooms.localhost', ` name='The Play'`, `<extensions><x xmlns='urn:x'/></extensions>`));
    ok(await mark('orchard@rooms.localhost', ` name='Orchard'`));
    await wantAsked(romeo, [NATIVE]);
    await romeo.settle();
    const list =
      old('play@rooms.localhost', ` name='The Play' autojoin='true'`) +
      old('orchard@rooms.localhost', ` name='Orchard'`) +
      old('new@rooms.localhost', '', '<nick>R</nick>') +
      old('no address') +
      `<url name='Works' url='https://example.org/'/>`;
    ok(await romeo.iq('set', `<query xmlns='${PRIVATE}'>${storage(list)}</query>`));
    assert.deepEqual(eventsOf(await romeo.settle()), [`items ${NATIVE} +play@rooms.localhost +new@rooms.localhost`]);
    assert.deepEqual(await natives(), [
      'new@rooms.localhost R',
      'orchard@rooms.localhost Orchard',
      'play@rooms.localhost The Play true',
    ]);
    const one = ok(await romeo.iq('get', pubsub(`<items node='${NATIVE}'><item id='play@rooms.localhost'/></items>`)));
    const conference = said(one, 'items').getChild('item')!.getChild('conference')!;
    assert.ok(conference.getChild('extensions')!.getChild('x', 'urn:x'));
    // addresses of pages stay where they are known
    assert.equal((await inPrivate()).getChild('url')!.attrs.name, 'Works');
    ok(
      await romeo.iq(
        'set',
        `<query xmlns='${PRIVATE}'>${storage(old('new@rooms.localhost', '', '<nick>R</nick>'))}</query>`,
      ),
    );
    assert.deepEqual(eventsOf(await romeo.settle()), [
      `items ${NATIVE} -orchard@rooms.localhost -play@rooms.localhost`,
    ]);
    assert.deepEqual(listed(await inNode()), ['new@rooms.localhost R']);
  });

  it('what is written as a list into a node becomes items, and is told once', async () => {
    await wantAsked(romeo, [NATIVE, OLD]);
    await romeo.settle();
    const list = (content: string) =>
      publish(romeo, OLD, `<item id='current'>${storage(content)}</item>`, OWN, {
        persist_items: '1',
        access_model: 'whitelist',
      });
    ok(await list(old('a@rooms.localhost') + old('b@rooms.localhost', ` name='B'`)));
    await romeo.settle();
    assert.deepEqual(await natives(), ['a@rooms.localhost', 'b@rooms.localhost B']);
    assert.deepEqual(listed(await inPrivate()), ['a@rooms.localhost', 'b@rooms.localhost B']);
    ok(await list(old('b@rooms.localhost', ` name='C'`)));
    const told = [...eventsOf(await romeo.settle()), ...eventsOf(await romeo.settle())];
    assert.deepEqual(told, [
      `items ${OLD} +current`,
      `items ${NATIVE} +b@rooms.localhost`,
      `items ${NATIVE} -a@rooms.localhost`,
    ]);
    assert.deepEqual(await natives(), ['b@rooms.localhost C']);
  });

  it('a list is taken whole also where a client made the node for one item, and nothing is lost where it cannot be', async () => {
    ok(await publish(romeo, NATIVE, native('a@rooms.localhost'), OWN));
    const write = (content: string) => romeo.iq('set', `<query xmlns='${PRIVATE}'>${storage(content)}</query>`);
    ok(await write(old('b@rooms.localhost') + old('c@rooms.localhost')));
    assert.deepEqual(await natives(), ['b@rooms.localhost', 'c@rooms.localhost']);
    assert.deepEqual(listed(await inPrivate()), ['b@rooms.localhost', 'c@rooms.localhost']);
    const small = form('node_config', { max_payload_size: '100' });
    ok(await romeo.iq('set', owner(`<configure node='${NATIVE}'>${small}</configure>`)));
    ok(await write(old('d@rooms.localhost', ` name='${'d'.repeat(100)}'`)));
    assert.deepEqual(await natives(), ['b@rooms.localhost', 'c@rooms.localhost']);
  });

  it('a list from before becomes items when its account comes', async () => {
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder, yaml: 'modules: { bookmarks: false }\n' });
    const before = await stage.login('romeo@localhost/orchard');
    ok(await before.iq('set', `<query xmlns='${PRIVATE}'>${storage(old('a@rooms.localhost', ` name='A'`))}</query>`));
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard');
    await until(
      async () => listed(await inNode()).length > 0,
      () => 'the list in the node',
    );
    assert.deepEqual(await natives(), ['a@rooms.localhost A']);
    assert.deepEqual(listed(await inNode()), ['a@rooms.localhost A']);
  });

  it('is nobody else’s business where a client made a node for its contacts', async () => {
    await befriend(romeo, juliet);
    ok(await publish(romeo, OLD, `<item id='current'>${storage('')}</item>`, OWN));
    ok(await get(juliet, OLD, 'romeo@localhost'));
    await wantAsked(juliet, [OLD]);
    await juliet.settle();
    ok(await mark('secret@rooms.localhost', '', '<password>sesame</password>'));
    assert.deepEqual(listed(await inNode()), ['secret@rooms.localhost']);
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    assert.match(error(await get(juliet, OLD, 'romeo@localhost')), /not-allowed/);
  });

  it('is nobody else’s business', async () => {
    ok(await romeo.iq('set', `<query xmlns='${PRIVATE}'>${storage(old('a@rooms.localhost'))}</query>`));
    for (const node of [NATIVE, OLD])
      assert.equal(
        error(await get(juliet, node, 'romeo@localhost')),
        'auth not-authorized presence-subscription-required',
      );
  });
});
