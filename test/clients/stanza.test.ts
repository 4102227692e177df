import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { plays } from './plays.ts';
import { Server, trust } from './server.ts';
import { arrive, type Stanza } from './stanza.ts';

plays('stanza', ['WebSocket'], arrive);

describe('stanza, what else it knows', function () {
  this.timeout(60_000);
  let server: Server;
  before(async () => {
    server = await Server.start();
    await server.add('romeo', 'juliet');
    await trust(server);
  });
  after(() => server?.stop());

  const enter = (user: string): Promise<Stanza> =>
    arrive({
      way: 'WebSocket',
      port: server.ports.https,
      domain: server.domain,
      certificate: server.certificate,
      user,
      resource: 'garden',
      password: server.password,
    }) as Promise<Stanza>;

  it('history and its preferences (XEP-0313, XEP-0441)', async () => {
    const romeo = await enter('romeo');
    const juliet = await enter('juliet');
    for (const body of ['one', 'two', 'three']) {
      await romeo.say(juliet.jid, body);
      await juliet.messages.next('from Romeo', message => message.body === body);
    }
    assert.deepEqual(await juliet.history(), { bodies: ['one', 'two', 'three'], complete: true });
    assert.deepEqual(await romeo.history('juliet@localhost', 2), { bodies: ['one', 'two'], complete: false });
    assert.deepEqual(await romeo.history('nurse@localhost'), { bodies: [], complete: true });
    assert.deepEqual(await romeo.archived(['nurse@localhost']), ['nurse@localhost']);
    await romeo.say(juliet.jid, 'four');
    await juliet.messages.next('from Romeo', ({ body }) => body === 'four');
    assert.deepEqual((await romeo.history()).bodies, ['one', 'two', 'three']);
    assert.deepEqual((await juliet.history()).bodies, ['one', 'two', 'three', 'four']);
    await romeo.leave();
    await juliet.leave();
  });

  it('tunes and avatars of friends, the last ones too (XEP-0163, XEP-0115, XEP-0084)', async () => {
    const romeo = await enter('romeo');
    const juliet = await enter('juliet');
    await juliet.befriend('romeo@localhost');
    await romeo.presences.next('her request', ({ type }) => type === 'subscribe');
    await romeo.accept('juliet@localhost');
    await juliet.presences.next('his presence', ({ type, from }) => type === 'available' && from === romeo.jid);
    juliet.listen();
    romeo.listen();
    await romeo.agent.publishTune({ title: 'O mistress mine', artist: 'Feste' });
    for (const one of [juliet, romeo]) {
      const told = await one.told.next('a tune', ({ what }) => what === 'tune O mistress mine');
      assert.equal(told.from, 'romeo@localhost');
    }
    const picture = Buffer.from('a picture');
    const id = createHash('sha1').update(picture).digest('hex');
    await romeo.agent.publishAvatar(id, picture);
    await romeo.agent.useAvatars([{ id, bytes: picture.length, mediaType: 'image/png' }]);
    await juliet.told.next('an avatar', ({ what }) => what === `avatar ${id}`);
    assert.equal((await juliet.agent.getAvatar('romeo@localhost', id)).content?.data?.toString(), 'a picture');
    // who comes later gets what was there before
    await juliet.leave();
    const again = await enter('juliet');
    again.listen();
    await again.told.next('the last tune', ({ what }) => what === 'tune O mistress mine');
    await again.told.next('the last avatar', ({ what }) => what === `avatar ${id}`);
    // the card of who does not know nodes (XEP-0398)
    const [record] = ((await again.agent.getVCard('romeo@localhost')).records ?? []).filter(
      ({ type }) => type === 'photo',
    );
    assert.equal(String((record as { data?: unknown } | undefined)?.data), picture.toString('base64'));
    await romeo.leave();
    await again.leave();
  });

  it('bookmarks as they are kept by it, and as items (XEP-0048, XEP-0402)', async () => {
    const romeo = await enter('romeo');
    await romeo.agent.setBookmarks([{ jid: 'play@rooms.localhost', name: 'The Play', autoJoin: true, nick: 'JC' }]);
    const [bookmark] = await romeo.agent.getBookmarks();
    assert.deepEqual([bookmark!.jid, bookmark!.name, bookmark!.nick], ['play@rooms.localhost', 'The Play', 'JC']);
    const items = await romeo.agent.getItems('romeo@localhost', 'urn:xmpp:bookmarks:1');
    assert.deepEqual(
      items.items?.map(({ id }) => id),
      ['play@rooms.localhost'],
    );
    await romeo.leave();
  });

  it('nodes at the service, from their making to their end (XEP-0060)', async () => {
    const SERVICE = 'pubsub.localhost';
    const romeo = await enter('romeo');
    const juliet = await enter('juliet');
    juliet.listen();
    const NICK = 'http://jabber.org/protocol/nick';
    const nick = (text: string) => ({ itemType: NICK, nick: text }) as never;
    await romeo.agent.createNode(SERVICE, 'names');
    const config = await romeo.agent.getNodeConfig(SERVICE, 'names');
    assert.equal(config.fields?.find(({ name }) => name === 'pubsub#access_model')?.value, 'open');
    const { state } = await juliet.agent.subscribeToNode(SERVICE, 'names');
    assert.equal(state, 'subscribed');
    await romeo.agent.publish(SERVICE, 'names', nick('Romeo'), 'one');
    await romeo.agent.publish(SERVICE, 'names', nick('Montague'), 'two');
    await juliet.told.next('the first', ({ what }) => what === 'published names one');
    await juliet.told.next('the second', ({ what }) => what === 'published names two');
    const { items, paging } = await juliet.agent.getItems(SERVICE, 'names', { max: 1 });
    assert.deepEqual([items?.map(({ id }) => id), paging?.count], [['two'], 2]);
    await romeo.agent.retract(SERVICE, 'names', 'one', true);
    await juliet.told.next('the retraction', ({ what }) => what.startsWith('retracted names'));
    await romeo.agent.updateNodeAffiliations(SERVICE, 'names', [{ jid: 'juliet@localhost', affiliation: 'publisher' }]);
    await juliet.agent.publish(SERVICE, 'names', nick('Juliet'), 'three');
    const { items: affiliations } = await romeo.agent.getNodeAffiliations(SERVICE, 'names');
    assert.deepEqual(affiliations?.map(({ jid, affiliation }) => `${jid} ${affiliation}`).toSorted(), [
      'juliet@localhost publisher',
      'romeo@localhost owner',
    ]);
    await romeo.agent.purgeNode(SERVICE, 'names');
    await juliet.told.next('the purge', ({ what }) => what === 'purged names');
    await romeo.agent.deleteNode(SERVICE, 'names');
    await juliet.told.next('its end', ({ what }) => what === 'deleted names');
    await romeo.leave();
    await juliet.leave();
  });
});
