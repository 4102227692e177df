import assert from 'node:assert/strict';
import path from 'node:path';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const NS = 'http://jabber.org/protocol/commands';
const STATS = 'http://jabber.org/protocol/admin#get-online-users-num';
const LIST = 'http://jabber.org/protocol/admin#get-online-users-list';

const request = (node: string, more: { action?: string; session?: string; fields?: Record<string, string> } = {}) => {
  const { action, session, fields } = more;
  const form =
    fields &&
    `<x xmlns='jabber:x:data' type='submit'>${Object.entries(fields)
      .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
      .join('')}</x>`;
  return `<command xmlns='${NS}' node='${node}'${action ? ` action='${action}'` : ''}${session ? ` sessionid='${session}'` : ''}>${form ?? ''}</command>`;
};

const run = async (client: TestClient, ...args: Parameters<typeof request>): Promise<Element> => {
  const answer = await client.iq('set', request(...args), 'localhost');
  return answer.getChild('command', NS) ?? answer;
};
const refused = async (client: TestClient, ...args: Parameters<typeof request>): Promise<string> => {
  const answer = await client.iq('set', request(...args), 'localhost');
  const [general, ...more] = answer.getChild('error')?.getChildElements() ?? [];
  const special = more.find(child => child.getNS() === NS);
  return general ? general.name + (special ? ` ${special.name}` : '') : answer.toString();
};
const actions = (command: Element) => {
  const element = command.getChild('actions')!;
  return [element.attrs.execute, ...element.getChildElements().map(({ name }) => name)];
};
const field = (command: Element) => command.getChild('x', 'jabber:x:data')!.getChild('field')!.attrs.var;

describe('play: ad-hoc commands (XEP-0050)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let admin: TestClient;
  before(async () => {
    stage = await TestNode.start({
      users: ['romeo', 'prince'],
      yaml: `admins: [prince@localhost]
modules: { commands: { executions: 3 }, ${path.join(import.meta.dirname, 'commands-order.ts')}: true }`,
    });
  });
  beforeEach(async () => {
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    admin = await stage.login('prince@localhost/palace', { presence: true });
  });
  afterEach(() => Promise.all([romeo.end(), admin.end()]));
  after(() => stage.stop());

  const list = async (client: TestClient) => {
    const query = `<query xmlns='http://jabber.org/protocol/disco#items' node='${NS}'/>`;
    const answer = await client.iq('get', query, 'localhost');
    assert.equal(answer.getChild('query')!.attrs.node, NS);
    return answer
      .getChild('query')!
      .getChildren('item')
      .map(({ attrs }) => {
        assert.equal(attrs.jid, 'localhost');
        assert.ok(attrs.name);
        return attrs.node!;
      });
  };

  it('everybody finds the commands that are for them (2.2)', async () => {
    assert.deepEqual(await list(romeo), ['order']);
    const all = await list(admin);
    assert.ok(all.includes('order') && all.includes(STATS));
    const info = (node: string) => `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`;
    const answer = await romeo.iq('get', info('order'), 'localhost');
    const { category, type, name } = answer.getChild('query')!.getChild('identity')!.attrs;
    assert.deepEqual([category, type, name], ['automation', 'command-node', 'Order wine']);
    const features = answer.getChild('query')!.getChildren('feature');
    assert.deepEqual(
      features.map(({ attrs }) => attrs.var),
      [NS, 'jabber:x:data'],
    );
    assert.equal(condition(await romeo.iq('get', info(STATS), 'localhost')), 'forbidden');
    assert.equal((await admin.iq('get', info(STATS), 'localhost')).attrs.type, 'result');
  });

  it('what is for administrators is forbidden to others; what is not there is not found (4.4)', async () => {
    assert.equal(await refused(romeo, STATS), 'forbidden');
    assert.equal(await refused(romeo, STATS, { action: 'cancel' }), 'forbidden');
    assert.equal(await refused(romeo, 'nothing'), 'item-not-found');
    const nowhere = await romeo.iq('set', request('order'), 'romeo@localhost');
    assert.equal(condition(nowhere), 'service-unavailable');
  });

  it('a command without a form is done at once (2.4.1)', async () => {
    const command = await run(admin, STATS);
    assert.equal(command.attrs.status, 'completed');
    assert.equal(command.attrs.node, STATS);
    assert.ok(command.attrs.sessionid);
    assert.equal(command.getChild('x')!.attrs.type, 'result');
    assert.equal(await refused(admin, STATS, { session: command.attrs.sessionid }), 'bad-request bad-sessionid');
  });

  it('goes through its stages, forth and back (2.4.2)', async () => {
    const first = await run(romeo, 'order', { action: 'execute' });
    const session = first.attrs.sessionid;
    assert.equal(first.attrs.status, 'executing');
    assert.deepEqual(actions(first), ['next', 'next']);
    const second = await run(romeo, 'order', { session, fields: { wine: 'Bardolino' } });
    assert.equal(second.attrs.sessionid, session);
    assert.deepEqual(actions(second), ['complete', 'prev', 'complete']);
    assert.equal(field(second), 'glasses');
    const back = await run(romeo, 'order', { session, action: 'prev' });
    assert.equal(field(back), 'wine');
    assert.equal(back.getChild('x')!.getChild('field')!.getChildText('value'), 'Bardolino');
    assert.equal(await refused(romeo, 'order', { session, action: 'complete' }), 'bad-request bad-action');
    await run(romeo, 'order', { session, action: 'next', fields: { wine: 'Soave' } });
    const done = await run(romeo, 'order', { session, fields: { glasses: '2' } });
    assert.equal(done.attrs.status, 'completed');
    assert.equal(done.getChild('actions'), undefined);
    assert.equal(done.getChildText('note'), '2 glasses of Soave (complete)');
    assert.equal(await refused(romeo, 'order', { session }), 'not-allowed session-expired');
  });

  it('is canceled, and over then (2.4.3)', async () => {
    const session = (await run(romeo, 'order')).attrs.sessionid;
    const canceled = await run(romeo, 'order', { session, action: 'cancel' });
    assert.deepEqual([canceled.attrs.status, canceled.attrs.sessionid], ['canceled', session]);
    assert.equal(await refused(romeo, 'order', { session, action: 'next' }), 'not-allowed session-expired');
    assert.equal(await refused(romeo, 'order', { session, action: 'cancel' }), 'not-allowed session-expired');
  });

  it('a form of type cancel is read like one that is submitted (3.5.1)', async () => {
    const session = (await run(romeo, 'order')).attrs.sessionid;
    const form = `<x xmlns='jabber:x:data' type='cancel'><field var='wine'><value>Soave</value></field></x>`;
    const command = `<command xmlns='${NS}' node='order' sessionid='${session}'>${form}</command>`;
    const answer = await romeo.iq('set', command, 'localhost');
    assert.equal(answer.getChild('command')!.attrs.status, 'executing');
    await run(romeo, 'order', { session, action: 'cancel' });
  });

  it('refuses actions that are none, or not now, and sessions of others (4.4)', async () => {
    assert.equal(await refused(romeo, 'order', { action: 'dance' }), 'bad-request malformed-action');
    for (const payload of [`<command xmlns='${NS}'/>`, `<command xmlns='${NS}' node=''/>`])
      assert.equal(condition(await romeo.iq('set', payload, 'localhost')), 'bad-request');
    for (const action of ['next', 'prev', 'complete', 'cancel'])
      assert.equal(await refused(romeo, 'order', { action }), 'bad-request bad-action', action);
    assert.equal(await refused(romeo, 'order', { session: 'made-up' }), 'bad-request bad-sessionid');
    const session = (await run(romeo, 'order')).attrs.sessionid;
    assert.equal(await refused(romeo, 'order', { session, action: 'prev' }), 'bad-request bad-action');
    assert.equal(await refused(admin, 'order', { session }), 'bad-request bad-sessionid');
    assert.equal(await refused(admin, LIST, { session }), 'bad-request bad-sessionid');
    const again = await stage.login('romeo@localhost/chamber');
    assert.equal(await refused(again, 'order', { session }), 'bad-request bad-sessionid');
    await again.end();
    await run(romeo, 'order', { session, action: 'cancel' });
  });

  it('only so many may be under way; one that is canceled makes room', async () => {
    const sessions: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) sessions.push((await run(romeo, 'order')).attrs.sessionid);
    assert.equal(new Set(sessions).size, 3);
    assert.equal(await refused(romeo, 'order'), 'resource-constraint');
    // what is under way goes on
    const going = await run(romeo, 'order', { session: sessions[1], fields: { wine: 'Soave' } });
    assert.equal(going.attrs.status, 'executing');
    for (const session of sessions) await run(romeo, 'order', { session, action: 'cancel' });
    assert.equal((await run(romeo, 'order')).attrs.status, 'executing');
  });
});
