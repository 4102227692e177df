import assert from 'node:assert/strict';
import type { Agent } from 'stanza';
import { needs } from '../kit/needs.ts';
import { contents, type Plain, plainContent } from './contents.ts';
import { Mailbox } from './person.ts';
import { PythonClients, type SlixmppClient } from './python.ts';
import { SCRAM, Server, trust } from './server.ts';
import { agentOf, offline, online } from './stanza.ts';
import { Contents, type Got } from './stanza-contents.ts';

/** The order of children says nothing. */
const sorted = (children: readonly Plain[]): string[] => children.map(child => JSON.stringify(child)).toSorted();

describe('all that people send each other, between stanza and slixmpp, and out of history (XEP-0313)', function () {
  this.timeout(120_000);
  let server: Server;
  let clients: PythonClients;
  let agent: Agent;
  let romeo: Contents;
  let juliet: SlixmppClient;
  const got = new Mailbox<Got>('content');

  before(async function () {
    needs(this, { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' });
    server = await Server.start({
      mechanisms: [...SCRAM, 'PLAIN'],
      more: 'modules: { search: { byName: true } }\n',
    });
    await server.add('romeo', 'juliet');
    await trust(server);
    const { domain, certificate, password } = server;
    const base = { domain, certificate, password };
    agent = agentOf({ ...base, way: 'WebSocket', port: server.ports.https, user: 'romeo', resource: 'garden' });
    romeo = new Contents(agent);
    await online(agent);
    agent.sendPresence();
    clients = await PythonClients.start();
    juliet = await clients.arrive({
      ...base,
      way: 'STARTTLS',
      port: server.ports.xmpp,
      user: 'juliet',
      resource: 'balcony',
    });
    juliet.on('content', about => got.put(about as Got));
  });
  after(async () => {
    if (agent) await offline(agent);
    await juliet?.leave();
    await clients?.stop();
    await server?.stop();
  });

  const ids = (who: string) => (kind: string) => `${who}-${kind.replaceAll(' ', '-')}`;
  const FROM = {
    romeo: contents(ids('romeo'), 'romeo@localhost'),
    juliet: contents(ids('juliet'), 'juliet@localhost'),
  };

  for (const [at, { kind }] of FROM.romeo.entries()) {
    it(`${kind}: from stanza to slixmpp, and back`, async () => {
      const his = FROM.romeo[at]!;
      romeo.send('juliet@localhost', ids('romeo')(kind), his.xml);
      const came = await got.next(kind, ({ id }) => id === ids('romeo')(kind));
      assert.deepEqual(sorted(plainContent(came.xml)), sorted(plainContent(`<message>${his.xml}</message>`)));
      const hers = FROM.juliet[at]!;
      await juliet.do('send_content', { to: 'romeo@localhost', name: ids('juliet')(kind), xml: hers.xml });
      const back = await romeo.got.next(kind, ({ id }) => id === ids('juliet')(kind));
      assert.deepEqual(sorted(plainContent(back.xml)), sorted(plainContent(`<message>${hers.xml}</message>`)));
    });
  }

  it('history has all of it as it was, in order, and for both; of what was taken back only that it was', async () => {
    const [his, hers] = [
      await romeo.read('juliet@localhost'),
      (await juliet.do('read_contents', { jid: 'romeo@localhost' })) as string[],
    ];
    const expected = FROM.romeo.flatMap((content, i) => [content, FROM.juliet[i]!]);
    assert.equal(expected.length, 26);
    for (const history of [his, hers]) {
      assert.equal(history.length, expected.length);
      for (const [i, { kind, xml }] of expected.entries()) {
        const read = sorted(plainContent(history[i]!));
        // XEP-0424 5
        if (kind === 'regretted') assert(!history[i]!.includes('should not have said'));
        else assert.deepEqual(read, sorted(plainContent(`<message>${xml}</message>`)), kind);
      }
    }
    // the tombstone; stanza has no field for it here
    const tombstones = hers.filter(xml => xml.includes('urn:xmpp:message-retract:1') && /retracted\b/.test(xml));
    assert.equal(tombstones.length, 2);
  });

  it('both find each other in the directory, by fields and by form (XEP-0055)', async () => {
    await juliet.do('set_vcard', { name: '朱丽叶 Capulet' });
    assert.deepEqual(await romeo.people('search.localhost', { nick: '丽叶' }), [
      ['juliet@localhost', '朱丽叶 Capulet'],
    ]);
    assert.deepEqual(await romeo.people('search.localhost', { nick: 'mercutio' }), []);
    const people = await juliet.do('search_people', { service: 'search.localhost', fields: { 'x-number': 'romeo' } });
    assert.deepEqual(
      (people as string[][]).map(([jid]) => jid),
      ['romeo@localhost'],
    );
  });
});
