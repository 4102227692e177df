import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import path from 'node:path';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';

const MAM = 'urn:xmpp:mam:2';
const SM = 'urn:xmpp:sm:3';

describe('play: what waits is what the archive has (XEP-0160, XEP-0313)', () => {
  let stage: TestNode;
  let juliet: TestClient;

  beforeEach(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'] });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (const body of ['one', 'two']) say(body);
    // what archives do not keep waits as well
    juliet.send(
      "<message type='chat' to='romeo@localhost'><body>three</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>",
    );
    await juliet.settle();
  });
  afterEach(() => stage.stop());

  function say(body: string, more = ''): void {
    juliet.send(`<message type='chat' to='romeo@localhost' id='${body}'><body>${body}</body>${more}</message>`);
  }

  const messages = (all: Element[]): Element[] => all.filter(({ name }) => name === 'message');
  const bodies = (all: Element[]): (string | null)[] => messages(all).map(one => one.getChildText('body'));
  const available = async (romeo: TestClient): Promise<Element[]> => {
    romeo.send('<presence/>');
    return romeo.settle();
  };

  /** A session of romeo's that was given what waits has lost its connection, and has a fourth message in its outbox. */
  async function leaveFour(): Promise<void> {
    const old = await stage.login('romeo@localhost/orchard');
    old.send(`<enable xmlns='${SM}' resume='true'/>`);
    await available(old);
    old.destroy();
    say('four');
    await juliet.settle();
  }

  it('an old client gets all of it, whole, with the ids that its archive has', async () => {
    const romeo = await stage.login('romeo@localhost/orchard');
    const came = messages(await available(romeo));
    assert.deepEqual(bodies(came), ['one', 'two', 'three']);
    romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
    const results = messages(await romeo.settle()).map(one => one.getChild('result', MAM)!.attrs.id);
    assert.deepEqual(
      came.slice(0, 2).map(one => one.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs.id),
      results,
    );
    for (const one of came) {
      assert.equal(one.attrs.from, 'juliet@localhost/balcony');
      assert.equal(one.getChildren('delay', 'urn:xmpp:delay').length, 1);
      assert.equal(one.getChildren('stanza-id', 'urn:xmpp:sid:0').length, 1);
    }
    const again = await stage.login('romeo@localhost/garden');
    assert.deepEqual(bodies(await available(again)), []);
  });

  if (!ON_SERVER)
    it('there is one copy of it', () => {
      const db = new Database(path.join(stage.folder, 'posthouse.sqlite'), { readonly: true });
      const texts = db.prepare('select stanza from offline_messages order by stanza_id').pluck().all() as string[];
      db.close();
      assert.deepEqual(
        texts.map(text => /<body>(\w+)/.exec(text)?.[1] ?? text),
        ['', '', 'three'],
      );
    });

  if (!ON_SERVER)
    it('what cannot be stored behind it is given back, and not given as well', async () => {
      for (let i = 0; i < 450; i++) say(`m${i}`);
      await juliet.settle();
      // a client that acknowledges nothing is given no more than a window
      const romeo = await stage.login('romeo@localhost/orchard');
      romeo.send(`<enable xmlns='${SM}'/>`);
      await available(romeo);
      const intruder = new Database(path.join(stage.folder, 'posthouse.sqlite'));
      intruder.exec('BEGIN IMMEDIATE');
      say('lost');
      const answer = await juliet.message();
      assert.deepEqual([answer.attrs.id, answer.attrs.type], ['lost', 'error']);
      intruder.exec('ROLLBACK');
      intruder.close();
      romeo.send(`<a xmlns='${SM}' h='200'/>`);
      assert.ok(!bodies(await romeo.settle()).includes('lost'));
    });

  it('a client that asks its archive before it is available is given only what that has not', async () => {
    const romeo = await stage.login('romeo@localhost/orchard');
    romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
    const results = messages(await romeo.settle());
    assert.equal(results.length, 2);
    assert.deepEqual(bodies(await available(romeo)), ['three']);
    say('four');
    assert.equal((await romeo.message()).getChildText('body'), 'four');
    // nobody else is given it either
    const again = await stage.login('romeo@localhost/garden');
    assert.deepEqual(bodies(await available(again)), []);
  });

  it('what came since it asked is given to it, each time that it becomes available', async () => {
    const romeo = await stage.login('romeo@localhost/orchard');
    romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
    assert.equal(messages(await romeo.settle()).length, 2);
    say('four');
    await juliet.settle();
    assert.deepEqual(bodies(await available(romeo)), ['three', 'four']);
    romeo.send("<presence type='unavailable'/>");
    await romeo.settle();
    say('five');
    await juliet.settle();
    assert.deepEqual(bodies(await available(romeo)), ['five']);
    romeo.send('<presence><priority>-1</priority></presence>');
    await romeo.settle();
    say('six');
    await juliet.settle();
    assert.deepEqual(bodies(await available(romeo)), ['six']);
  });

  it('one that binds by Bind 2 (XEP-0386) is told of the archive, and given all unless it asks that', async () => {
    for (const asks of [true, false]) {
      const romeo = await stage.connect();
      await romeo.open();
      const initial = Buffer.from('\0romeo\0romeo').toString('base64');
      romeo.send(
        `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${initial}</initial-response>
       <bind xmlns='urn:xmpp:bind:0'><tag>x</tag></bind></authenticate>`,
      );
      const success = await romeo.expect(({ name }) => name === 'success', 'to be let in');
      assert.ok(success.getChild('bound', 'urn:xmpp:bind:0')?.getChild('metadata', MAM));
      if (asks) romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
      await romeo.settle();
      assert.deepEqual(bodies(await available(romeo)), asks ? ['three'] : ['four', 'five']);
      romeo.send("<presence type='unavailable'/>");
      await romeo.settle();
      for (const body of ['four', 'five']) say(body);
      await juliet.settle();
    }
  });

  it('what was retracted meanwhile is not given', async () => {
    const romeo = await stage.login('romeo@localhost/orchard');
    juliet.send(
      `<message type='chat' to='romeo@localhost'><retract xmlns='urn:xmpp:message-retract:1' id='one'/></message>`,
    );
    await juliet.settle();
    const came = messages(await available(romeo));
    assert.deepEqual(bodies(came), ['two', 'three', null]);
    assert.ok(came[2]!.getChild('retract', 'urn:xmpp:message-retract:1'));
  });

  it('what a session never took is not given to one that fetched it meanwhile', async () => {
    await leaveFour();
    const romeo = await stage.login('romeo@localhost/garden');
    romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
    assert.equal(messages(await romeo.settle()).length, 3);
    say('five');
    await juliet.settle();
    assert.deepEqual(bodies(await available(romeo)), []);
    stage.node.directory.session('romeo@localhost/orchard')!.close({ condition: 'policy-violation' });
    await stage.node.hub.settled();
    const came = bodies(await romeo.settle());
    assert.deepEqual([came.length, new Set(came)], [2, new Set(['three', 'five'])]);
  });

  it('it is given to one that has only looked into a conversation since it came', async () => {
    await leaveFour();
    const romeo = await stage.login('romeo@localhost/garden');
    assert.deepEqual(bodies(await available(romeo)), []);
    const form = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MAM}</value></field><field var='with'><value>nurse@localhost</value></field></x>`;
    romeo.send(`<iq type='set' id='a'><query xmlns='${MAM}'>${form}</query></iq>`);
    assert.deepEqual(messages(await romeo.settle()), []);
    stage.node.directory.session('romeo@localhost/orchard')!.close({ condition: 'policy-violation' });
    await stage.node.hub.settled();
    assert.deepEqual(new Set(bodies(await romeo.settle())), new Set(['one', 'two', 'three', 'four']));
  });

  it('what a session left that never came back is not kept twice either', async () => {
    await leaveFour();
    const next = await stage.login('romeo@localhost/orchard');
    next.send(`<iq type='set' id='a'><query xmlns='${MAM}'/></iq>`);
    assert.equal(messages(await next.settle()).length, 3);
    assert.deepEqual(bodies(await available(next)), ['three']);
  });
});
