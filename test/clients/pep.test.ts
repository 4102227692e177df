import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { needs } from '../kit/needs.ts';
import { type Login, Mailbox } from './person.ts';
import { PythonClients, type SlixmppClient } from './python.ts';
import { portOf, SCRAM, Server, trust } from './server.ts';
import { arrive, type Stanza } from './stanza.ts';

const OMEMO = 'eu.siacs.conversations.axolotl';
const DEVICES = `${OMEMO}.devicelist`;

interface Told {
  readonly from: string;
  readonly what: string;
  readonly node: string;
  readonly value: string;
}

/** Nodes of accounts between two clients that others wrote: what one of them publishes the other understands. */
describe('Nodes of accounts, between slixmpp and stanza', function () {
  this.timeout(60_000);
  let server: Server;
  let program: PythonClients;
  before(async function () {
    needs(this, { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' });
    // slixmpp comes to PLAIN in the end, see slixmpp.test.ts
    server = await Server.start({ mechanisms: [...SCRAM, 'PLAIN'] });
    await trust(server);
    program = await PythonClients.start();
  });
  after(async () => {
    await program?.stop();
    await server?.stop();
  });
  const present: { leave(): Promise<void> }[] = [];
  beforeEach(() => server.add('romeo', 'juliet'));
  afterEach(async () => {
    for (const client of present.splice(0)) await client.leave();
  });

  const login = (user: string, way: Login['way']): Login => ({
    way,
    port: portOf(server, way),
    user,
    resource: way === 'WebSocket' ? 'web' : 'pocket',
    domain: server.domain,
    password: server.password,
    certificate: server.certificate,
  });
  const byStanza = async (user: string): Promise<Stanza> => {
    const client = (await arrive(login(user, 'WebSocket'))) as Stanza;
    present.push(client);
    client.listen();
    return client;
  };
  /** A client that wants to be told of these nodes too, and what it is told. */
  const bySlixmpp = async (user: string, ...nodes: string[]): Promise<[SlixmppClient, Mailbox<Told>]> => {
    const client = await program.arrive(login(user, 'STARTTLS'), false, nodes);
    present.push(client);
    const told = new Mailbox<Told>('notification');
    client.on('node', about => told.put(about as Told));
    return [client, told];
  };
  /** Each sees the presence of the other. */
  const befriend = async (one: SlixmppClient, other: Stanza | SlixmppClient): Promise<void> => {
    for (const [asks, answers] of [
      [one, other],
      [other, one],
    ] as const) {
      const [from, to] = [asks.jid.split('/')[0]!, answers.jid.split('/')[0]!];
      await asks.befriend(to);
      await answers.presences.next('a request', presence => presence.type === 'subscribe' && presence.from === from);
      await answers.accept(from);
      await asks.presences.next('a presence', ({ type, from: who }) => type === 'available' && who === answers.jid);
    }
  };

  it('nicknames, tunes and avatars, both ways (XEP-0172, 0118, 0084)', async () => {
    const [romeo, told] = await bySlixmpp('romeo');
    const juliet = await byStanza('juliet');
    await befriend(romeo, juliet);
    const picture = Buffer.from('his picture');
    const id = createHash('sha1').update(picture).digest('hex');

    await romeo.do('publish_nick', { nick: 'Roméo & co' });
    await romeo.do('publish_tune', { title: 'O mistress mine' });
    assert.equal(await romeo.do('publish_avatar', { data: picture.toString('base64') }), id);
    for (const what of ['nick Roméo & co', 'tune O mistress mine', `avatar ${id}`]) {
      const { from } = await juliet.told.next(what, one => one.what === what);
      assert.equal(from, 'romeo@localhost');
    }
    assert.deepEqual((await juliet.agent.getAvatar('romeo@localhost', id)).content?.data, picture);

    const hers = Buffer.from('her picture');
    const herId = createHash('sha1').update(hers).digest('hex');
    await juliet.agent.publishNick('Juliet <the sun>');
    await juliet.agent.publishTune({ title: 'Willow' });
    await juliet.agent.publishAvatar(herId, hers);
    await juliet.agent.useAvatars([{ id: herId, bytes: hers.length, mediaType: 'image/png' }]);
    const from = 'juliet@localhost';
    for (const [what, value] of [
      ['nick', 'Juliet <the sun>'],
      ['tune', 'Willow'],
      // stanza calls the item so, whatever the picture
      ['avatar', 'current'],
    ] as const)
      assert.equal((await told.next(what, one => one.what === what && one.from === from)).value, value);
    assert.equal(await romeo.do('avatar', { jid: from, item: herId }), hers.toString('base64'));
  });

  it('bookmarks of one account, each client in its own way, are the same (XEP-0048, 0049, 0223, 0402)', async () => {
    const [pocket] = await bySlixmpp('romeo');
    const web = await byStanza('romeo');
    await web.agent.setBookmarks([{ jid: 'play@conference.localhost', name: 'The Play', autoJoin: true }]);
    assert.deepEqual(await pocket.do('bookmarks'), [['play@conference.localhost', 'The Play']]);
    const rooms = [
      ['orchard@conference.localhost', 'The Orchard'],
      ['play@conference.localhost', 'Another Play'],
    ];
    await pocket.do('set_bookmarks', { rooms });
    const found = await web.agent.getBookmarks();
    assert.deepEqual(
      found.map(({ jid, name }) => `${jid} ${name}`).toSorted(),
      rooms.map(room => room.join(' ')),
    );
    const { items } = await web.agent.getItems('romeo@localhost', 'urn:xmpp:bookmarks:1');
    assert.deepEqual(items?.map(({ id }) => id).toSorted(), [
      'orchard@conference.localhost',
      'play@conference.localhost',
    ]);
  });

  it('device lists and bundles of OMEMO come to friends, and are there for strangers (XEP-0384)', async () => {
    const [romeo] = await bySlixmpp('romeo');
    const [juliet, told] = await bySlixmpp('juliet', DEVICES);
    await befriend(romeo, juliet);
    const list = `<list xmlns="${OMEMO}"><device id="31415" /></list>`;
    const bundle = `<bundle xmlns="${OMEMO}"><identityKey>aGVyZQ==</identityKey></bundle>`;
    await romeo.do('publish', { node: DEVICES, item: 'current', payload: list, access: 'open' });
    await romeo.do('publish', { node: `${OMEMO}.bundles:31415`, item: 'current', payload: bundle, access: 'open' });
    const { from, value } = await told.next('his devices', ({ node }) => node === DEVICES);
    assert.deepEqual([from, value], ['romeo@localhost', 'current']);
    await server.add('tybalt');
    const [tybalt] = await bySlixmpp('tybalt');
    for (const client of [juliet, tybalt]) {
      const [[, devices]] = (await client.do('node', { jid: 'romeo@localhost', node: DEVICES })) as [[string, string]];
      assert.match(devices, /device id="31415"/);
      const keys = await client.do('node', { jid: 'romeo@localhost', node: `${OMEMO}.bundles:31415` });
      assert.match(JSON.stringify(keys), /aGVyZQ==/);
    }
    // they are preconditions where the node is there
    await assert.rejects(
      romeo.do('publish', { node: DEVICES, item: 'current', payload: list, access: 'whitelist' }),
      /^Error: conflict$/,
    );
  });
});
