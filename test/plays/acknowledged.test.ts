import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import path from 'node:path';
import { parseJid } from '../../src/jid/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';
import { until } from '../kit/wait.ts';
import { acknowledging } from './messages-acknowledging.ts';

const SM = 'urn:xmpp:sm:3';

// what is stored is read from the file
if (!ON_SERVER)
  describe('play: an acknowledgement says that a message is safe (XEP-0198 4)', () => {
    let stage: TestNode;
    let juliet: TestClient;

    async function start(modules: string): Promise<void> {
      stage = await TestNode.start({
        users: ['romeo', 'juliet'],
        yaml: `sessions: { durable: false }
modules: { ${modules} }`,
      });
      juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      juliet.send(`<enable xmlns='${SM}' resume='true'/>`);
      await juliet.expect(({ name }) => name === 'enabled', 'stream management');
    }

    // the archive and the journal of sessions commit before they deliver: here a message is stored only where it has to be
    beforeEach(() => start('archive: false'));
    afterEach(() => stage.stop());

    const say = (id: string, to = 'romeo@localhost/orchard'): void =>
      juliet.send(`<message type='chat' to='${to}' id='${id}'><body>${id}</body></message>`);

    /** What the server says when it is asked: the answer comes when all so far is safe. */
    async function acknowledged(): Promise<string> {
      juliet.send(`<r xmlns='${SM}'/>`);
      return (await juliet.expect(({ name }) => name === 'a', 'an acknowledgement')).attrs.h!;
    }

    function stored(): number {
      const db = new Database(path.join(stage.folder, 'posthouse.sqlite'), { readonly: true });
      try {
        return (db.prepare('select count(*) as n from offline_messages').get() as { n: number }).n;
      } finally {
        db.close();
      }
    }

    it('by its recipient who has it: nothing is stored', async () => {
      const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      await acknowledging(romeo);
      say('a');
      say('b');
      assert.equal(await acknowledged(), '2');
      assert.equal((await romeo.message()).attrs.id, 'a');
      assert.equal(stored(), 0);
    });

    it('by a recipient who does not acknowledge, once its system took it', async () => {
      const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      say('a');
      assert.equal(await acknowledged(), '1');
      assert.equal((await romeo.message()).attrs.id, 'a');
      assert.equal(stored(), 0);
    });

    it('by storage, when a client says nothing; and it is given once', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      const answers = await acknowledging(romeo);
      answers.stop();
      romeo.send('<presence/>');
      say('a');
      assert.equal((await romeo.message()).attrs.id, 'a');
      assert.equal(await acknowledged(), '1');
      assert.equal(stored(), 1);
      // it had only been busy: what it acknowledges late waits no more
      romeo.send(`<a xmlns='${SM}' h='${await handledBy(romeo)}'/>`);
      await until(() => stored() === 0, 'the message to leave the store');
      stage.node.closeSessions(parseJid(romeo.jid)!, { condition: 'policy-violation' });
      const next = await stage.login('romeo@localhost/street', { presence: true });
      assert.deepEqual(
        (await next.settle()).filter(({ name }) => name === 'message'),
        [],
      );
    });

    it('by storage, and another session that came behind it gets it when the silent one ends', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      const answers = await acknowledging(romeo);
      answers.stop();
      romeo.send('<presence/>');
      await romeo.settle();
      say('a', 'romeo@localhost');
      assert.equal((await romeo.message()).attrs.id, 'a');
      const garden = await stage.login('romeo@localhost/garden', { presence: true });
      assert.equal(await acknowledged(), '1');
      stage.node.session(parseJid('romeo@localhost/orchard')!)!.close({ condition: 'reset' });
      assert.equal((await garden.message()).attrs.id, 'a');
    });

    it('by storage at once, when a client has lost its connection; its resumed session gets it once, and acknowledges it', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      await acknowledging(romeo);
      romeo.send('<presence/>');
      await romeo.settle();
      const session = stage.node.user(parseJid(romeo.jid)!)!.sessions[0]!;
      romeo.socket.destroy();
      await until(() => !session.connected, 'the session to be without a connection');
      for (const id of ['a', 'b', 'c']) say(id);
      assert.equal(await acknowledged(), '3');
      assert.equal(stored(), 3);
      // another session: the waiting one is replaced, and what it had is given
      const next = await stage.login('romeo@localhost/orchard', { presence: true });
      const ids = [];
      for (let i = 0; i < 3; i++) ids.push((await next.message()).attrs.id);
      assert.deepEqual(ids, ['a', 'b', 'c']);
      await until(() => stored() === 0, 'the messages to leave the store');
      assert.deepEqual(
        (await next.settle()).filter(({ name }) => name === 'message'),
        [],
      );
    });

    it('not while storage fails and its recipient says nothing', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      const answers = await acknowledging(romeo);
      answers.stop();
      romeo.send('<presence/>');
      await romeo.settle();
      const intruder = new Database(path.join(stage.folder, 'posthouse.sqlite'));
      intruder.exec('BEGIN IMMEDIATE');
      say('a');
      juliet.send(`<r xmlns='${SM}'/>`);
      assert.equal((await romeo.message()).attrs.id, 'a');
      await new Promise(resolve => setTimeout(resolve, 4_500));
      assert.deepEqual(
        juliet.inbox.filter(({ name }) => name === 'a'),
        [],
      );
      intruder.exec('ROLLBACK');
      intruder.close();
      assert.equal((await juliet.expect(({ name }) => name === 'a', 'an acknowledgement')).attrs.h, '1');
    });

    it('soon, of what is not for later: nobody stores it, and nobody waits for a client that is silent', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      (await acknowledging(romeo)).stop();
      romeo.send('<presence/>');
      await romeo.settle();
      const to = `to='romeo@localhost/orchard'`;
      juliet.send(`<message ${to} type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`);
      juliet.send(`<message ${to} type='headline'><body>news</body></message>`);
      juliet.send(`<message ${to} type='chat'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>`);
      assert.equal(await acknowledged(), '3');
      assert.equal(stored(), 0);
    });

    it('soon, where nobody stores messages', async () => {
      await stage.stop();
      await start('archive: false, offline: false, stored: false');
      const romeo = await stage.login('romeo@localhost/orchard');
      (await acknowledging(romeo)).stop();
      romeo.send('<presence/>');
      await romeo.settle();
      say('a');
      assert.equal(await acknowledged(), '1');
    });

    it('when a client closes its stream, all that it sent', async () => {
      const romeo = await stage.login('romeo@localhost/orchard');
      (await acknowledging(romeo)).stop();
      romeo.send('<presence/>');
      await romeo.settle();
      say('a');
      juliet.send('</stream:stream>');
      await juliet.untilClosed();
      assert.equal(juliet.inbox.find(({ name }) => name === 'a')?.attrs.h, '1');
    });

    /** The number of stanzas that a client has been sent in its managed session. */
    async function handledBy(client: TestClient): Promise<number> {
      const session = stage.node.user(parseJid(client.jid)!)!.sessions[0] as unknown as { outbox: { sent: number } };
      await client.settle();
      return session.outbox.sent;
    }
  });
