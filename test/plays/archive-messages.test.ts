import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ask, form, idBy, MAM } from './archive.ts';
import { features, INFO, verona } from './verona.ts';

describe('play: what archives keep (XEP-0313, forwarded by XEP-0297)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  afterEach(() => stage.stop());

  it('accounts have an archive, and say so', async () => {
    const own = features(await romeo.iq('get', INFO));
    for (const feature of [
      MAM,
      `${MAM}#extended`,
      'urn:xmpp:sid:0',
      'urn:xmpp:message-retract:1',
      'urn:xmpp:message-retract:1#tombstone',
    ])
      assert.ok(own.includes(feature), feature);
  });

  it('a message is in both archives with the id that its recipient gets, and as it was sent', async () => {
    romeo.send("<message to='juliet@localhost/balcony' type='chat' id='m1'><body>It is my lady</body></message>");
    const id = idBy(await juliet.message(), 'juliet@localhost');
    for (const client of [romeo, juliet]) {
      const { results, complete, first, last, count, index } = await ask(client);
      assert.deepEqual(
        results.map(({ id, from, to, body }) => ({ id, from, to, body })),
        [{ id, from: 'romeo@localhost/orchard', to: 'juliet@localhost/balcony', body: 'It is my lady' }],
      );
      assert.equal(results[0]!.message.attrs.id, 'm1');
      assert.equal(results[0]!.message.attrs.type, 'chat');
      assert.equal(results[0]!.message.getChild('stanza-id'), undefined);
      assert.ok(Math.abs(Date.parse(results[0]!.stamp) - Date.now()) < 60_000);
      assert.deepEqual([complete, first, last, count, index], [true, id, id, '1', '0']);
    }
  });

  it("the sender's other sessions see it with its id in their archive, and only there", async () => {
    const garden = await stage.login('romeo@localhost/garden', { presence: true });
    await garden.iq('set', "<enable xmlns='urn:xmpp:carbons:2'/>");
    romeo.send("<message to='juliet@localhost' type='chat'><body>one</body></message>");
    const got = await juliet.message();
    const copy = (await garden.message()).getChild('sent', 'urn:xmpp:carbons:2')!;
    const copied = copy.getChild('forwarded')!.getChild('message')!;
    const id = idBy(got, 'juliet@localhost');
    assert.equal(idBy(copied, 'romeo@localhost'), id);
    assert.equal(idBy(copied, 'juliet@localhost'), undefined);
    assert.equal(idBy(got, 'romeo@localhost'), undefined);
    assert.equal((await ask(garden)).results[0]!.id, id);
  });

  it('is there for who was away, once, however many sessions it went to', async () => {
    await stage.addUser('nurse');
    romeo.send("<message to='nurse@localhost' type='chat'><body>waits</body></message>");
    await romeo.settle();
    const one = await stage.login('nurse@localhost/one', { presence: true });
    const two = await stage.login('nurse@localhost/two', { presence: true });
    romeo.send("<message to='nurse@localhost' type='chat'><body>live</body></message>");
    await two.message();
    const { results, bodies } = await ask(one);
    assert.deepEqual(bodies, ['waits', 'live']);
    assert.ok(results[0]!.id < results[1]!.id);
  });

  it('a message to oneself is there once', async () => {
    for (const to of ["to='romeo@localhost'", '', "to='romeo@localhost/orchard'"]) {
      romeo.send(`<message ${to} type='chat'><body>${to.length}</body></message>`);
      assert.ok(idBy(await romeo.message(), 'romeo@localhost'));
    }
    romeo.send("<message to='juliet@localhost' type='chat'><body>other</body></message>");
    const { results, bodies } = await ask(romeo);
    assert.deepEqual(bodies, ['20', '0', '28', 'other']);
    assert.ok(results.every(({ from }) => from === 'romeo@localhost/orchard'));
    // XEP-0313 4.1.1
    const own = await ask(romeo, form({ with: 'romeo@localhost' }));
    assert.deepEqual(own.bodies, ['20', '0', '28']);
    assert.deepEqual((await ask(juliet)).bodies, ['other']);
  });

  it('keeps by type and hint (XEP-0334)', async () => {
    const hint = (name: string): string => `<${name} xmlns='urn:xmpp:hints'/>`;
    const sent = [
      "type='headline'><body>headline</body>",
      `type='chat'><body>no-store</body>${hint('no-store')}`,
      `type='chat'><body>no-permanent-store</body>${hint('no-permanent-store')}`,
      "type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/>",
      `type='chat'><thing xmlns='urn:x'/>${hint('store')}`,
      "type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
      '><body>normal</body>',
    ];
    for (const rest of sent) {
      romeo.send(`<message to='juliet@localhost/balcony' ${rest}</message>`);
      await juliet.message();
    }
    for (const client of [romeo, juliet]) {
      const { results } = await ask(client);
      assert.deepEqual(
        results.map(({ message }) => message.getChildElements().map(({ name }) => name)),
        [['thing', 'store'], ['displayed'], ['body']],
      );
    }
  });

  it('what is refused is in no archive', async () => {
    romeo.send("<message to='tybalt@localhost' type='chat' id='e1'><body>x</body></message>");
    assert.equal(condition(await romeo.message()), 'service-unavailable');
    await juliet.iq('set', "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>");
    romeo.send("<message to='juliet@localhost' type='chat' id='e2'><body>x</body></message>");
    assert.equal(condition(await romeo.message()), 'service-unavailable');
    assert.deepEqual((await ask(romeo)).bodies, []);
    assert.deepEqual((await ask(juliet)).bodies, []);
  });

  it('who is blocked without a word finds what he sent in his archive, and nobody else does', async () => {
    await stage.stop();
    ({ stage, romeo, juliet } = await verona('modules: { blocking: { answer: silent } }\n'));
    await juliet.iq('set', "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>");
    romeo.send("<message to='juliet@localhost' type='chat'><body>x</body></message>");
    assert.deepEqual((await ask(romeo)).bodies, ['x']);
    assert.deepEqual((await ask(juliet)).bodies, []);
  });

  it("nobody else reads it, nor its owner another's", async () => {
    for (const payload of [`<query xmlns='${MAM}'/>`, `<metadata xmlns='${MAM}'/>`, `<prefs xmlns='${MAM}'/>`]) {
      const type = payload.startsWith('<query') ? 'set' : 'get';
      assert.equal(condition(await romeo.iq(type, payload, 'juliet@localhost')), 'service-unavailable');
    }
  });

  it('forged ids of the archives are not in them', async () => {
    const forged = ['romeo@localhost', 'juliet@localhost', 'localhost'].map(
      by => `<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='${by}'/>`,
    );
    romeo.send(`<message to='juliet@localhost' type='chat'><body>x</body>${forged.join('')}</message>`);
    const got = await juliet.message();
    assert.notEqual(idBy(got, 'juliet@localhost'), 'forged');
    for (const client of [romeo, juliet]) {
      const { results } = await ask(client);
      assert.deepEqual(results[0]!.message.getChildren('stanza-id'), []);
    }
  });

  it('survives a restart, and ids go on behind those that were given', async () => {
    romeo.send("<message to='juliet@localhost' type='chat'><body>before</body></message>");
    await juliet.message();
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    juliet.send("<message to='romeo@localhost' type='chat'><body>after</body></message>");
    await romeo.message();
    const { results, bodies } = await ask(romeo);
    assert.deepEqual(bodies, ['before', 'after']);
    assert.ok(results[0]!.id < results[1]!.id);
  });

  it('goes with its account; who gets that address later finds nothing', async () => {
    romeo.send("<message to='juliet@localhost' type='chat'><body>x</body></message>");
    await juliet.message();
    assert.ok(await stage.node.accounts.remove(parseJid('juliet@localhost')!));
    await stage.addUser('juliet');
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    assert.deepEqual((await ask(juliet)).bodies, []);
    const metadata = await juliet.iq('get', `<metadata xmlns='${MAM}'/>`);
    assert.deepEqual(metadata.getChild('metadata', MAM)!.children, []);
    // what romeo said is his
    assert.deepEqual((await ask(romeo)).bodies, ['x']);
    romeo.send("<message to='juliet@localhost' type='chat'><body>new</body></message>");
    await juliet.message();
    assert.deepEqual((await ask(juliet)).bodies, ['new']);
  });
});
