import assert from 'node:assert/strict';
import { needs } from '../kit/needs.ts';
import type { Login } from './person.ts';
import { plays } from './plays.ts';
import { PythonClients, type SlixmppClient } from './python.ts';
import { SCRAM, Server, UNBOUND } from './server.ts';

const need = { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' };

/*
 * Of channel bindings, slixmpp 1.8 knows tls-unique only, and uses it even with TLS 1.3, which has none of that name: so what ends in
 * -PLUS fails, and SCRAM without it fails after that, as the client seems to have been kept from what is offered (RFC 5802 6). With
 * the mechanisms of the default configuration it comes to PLAIN in the end; where there is no -PLUS, it speaks SCRAM.
 */
let clients: PythonClients | undefined;
/** One program for all of them, as Python is slow to start. */
const program = async (): Promise<PythonClients> => (clients ??= await PythonClients.start());
after(() => clients?.stop());

plays('slixmpp', ['STARTTLS', 'direct TLS'], async login => (await program()).arrive(login), {
  need,
  mechanisms: UNBOUND,
});

describe('slixmpp, what else it knows', function () {
  this.timeout(60_000);
  let server: Server;
  let romeo: SlixmppClient;
  let juliet: SlixmppClient;
  let present: SlixmppClient[];

  before(async function () {
    needs(this, need);
    server = await Server.start({
      mechanisms: [...SCRAM, 'PLAIN'],
      more: 'admins: [juliet@localhost]\nmodules: { registration: { open: true, perAddress: 0 } }\n',
    });
    await server.add('romeo', 'juliet');
  });
  after(() => server?.stop());
  beforeEach(async () => {
    present = [];
    romeo = await enter('romeo', 'garden');
    juliet = await enter('juliet', 'balcony');
  });
  afterEach(async () => {
    for (const client of present) await client.leave();
  });

  const login = (user: string, resource: string, password = server.password): Login => ({
    way: 'STARTTLS',
    port: server.ports.xmpp,
    domain: server.domain,
    certificate: server.certificate,
    user,
    resource,
    password,
  });
  const enter = async (user: string, resource: string, password?: string): Promise<SlixmppClient> => {
    const client = await (await program()).arrive(login(user, resource, password));
    present.push(client);
    return client;
  };

  it('service discovery: of the server, of the own account, not of a stranger (XEP-0030)', async () => {
    const host = (await romeo.do('info', { jid: 'localhost' })) as { identities: string[][]; features: string[] };
    assert.deepEqual(host.identities, [['server', 'im']]);
    for (const feature of ['urn:xmpp:ping', 'urn:xmpp:blocking', 'jabber:iq:register', 'urn:xmpp:carbons:2'])
      assert.ok(host.features.includes(feature), `${feature} is not among ${host.features.join(' ')}`);
    const own = (await romeo.do('info', { jid: 'romeo@localhost' })) as { identities: string[][] };
    assert.deepEqual(
      new Set(own.identities.map(identity => identity.join('/'))),
      new Set(['account/registered', 'pubsub/pep']),
    );
    await assert.rejects(romeo.do('info', { jid: 'juliet@localhost' }), /^Error: service-unavailable$/);
    assert.match(JSON.stringify(await romeo.do('items', { jid: 'localhost' })), /"pubsub\.localhost"/);
  });

  it('version, time, ping, last activity of the server (XEP-0092, 0202, 0199, 0012)', async () => {
    assert.equal(await romeo.do('version', { jid: 'localhost' }), 'Posthouse');
    const skew = Math.abs(Date.parse((await romeo.do('time', { jid: 'localhost' })) as string) - Date.now());
    assert.ok(skew < 60_000, `${skew} ms`);
    await romeo.do('ping', { jid: 'localhost' });
    assert.ok(((await romeo.do('last', { jid: 'localhost' })) as number) >= 0);
  });

  it('a contact with a name and groups, and without (RFC 6121 2)', async () => {
    await romeo.do('put', { jid: 'mercutio@localhost', name: 'Mercutio', groups: ['Friends', 'Verona'] });
    const [item] = (await romeo.do('roster')) as { name: string; groups: string[] }[];
    assert.deepEqual([item!.name, item!.groups.toSorted()], ['Mercutio', ['Friends', 'Verona']]);
    await romeo.do('drop', { jid: 'mercutio@localhost' });
    assert.deepEqual(await romeo.roster(), []);
  });

  it('away, and what one sees of it (RFC 6121 4)', async () => {
    await romeo.befriend('juliet@localhost');
    await juliet.presences.next('his request', ({ type }) => type === 'subscribe');
    await juliet.accept('romeo@localhost');
    await romeo.presences.next('her presence', ({ type, from }) => type === 'available' && from === juliet.jid);
    await juliet.do('presence', { pshow: 'away', pstatus: 'asleep' });
    const away = await romeo.presences.next('that she is away', ({ from }) => from === juliet.jid);
    assert.equal((away as unknown as { show: string }).show, 'away');
    await romeo.do('drop', { jid: 'juliet@localhost' });
    await juliet.presences.next('that he does not look any more', ({ type }) => type === 'unsubscribe');
  });

  it('a vCard that others can read (XEP-0054)', async () => {
    await juliet.do('set_vcard', { name: 'Juliet Capulet' });
    assert.equal(await romeo.do('vcard', { jid: 'juliet@localhost' }), 'Juliet Capulet');
  });

  it('who is blocked is not heard, until he is unblocked (XEP-0191)', async () => {
    await juliet.do('block', { jid: 'romeo@localhost' });
    assert.deepEqual(await juliet.do('blocked'), ['romeo@localhost']);
    await romeo.say('juliet@localhost', 'Hist! Juliet, hist!');
    await romeo.do('ping', { jid: 'localhost' });
    await juliet.do('unblock', { jid: 'romeo@localhost' });
    assert.deepEqual(await juliet.do('blocked'), []);
    await romeo.say('juliet@localhost', 'My sweet?');
    await juliet.messages.next('from Romeo', ({ body }) => body === 'My sweet?');
    assert.deepEqual(juliet.messages.rest, []);
  });

  it('history, in pages from either end, and by correspondent (XEP-0313)', async () => {
    await server.add('friar');
    const friar = await enter('friar', 'cell');
    for (const body of ['one', 'two', 'three']) {
      await friar.say(juliet.jid, body);
      await juliet.messages.next('from the friar', message => message.body === body);
    }
    await juliet.say(friar.jid, 'four');
    await friar.messages.next('from Juliet', ({ body }) => body === 'four');
    assert.deepEqual(await friar.do('history'), [
      ['one', 'two'],
      ['three', 'four'],
    ]);
    assert.deepEqual(await friar.do('history', { reverse: true, page: 3 }), [['two', 'three', 'four'], ['one']]);
    assert.deepEqual(await juliet.do('history', { jid: 'friar@localhost', page: 10 }), [
      ['one', 'two', 'three', 'four'],
    ]);
    assert.deepEqual(((await friar.do('history', { jid: 'romeo@localhost' })) as string[][]).flat(), []);
    assert.ok(((await friar.do('fields')) as string[]).includes('ids'));
    const [first, last] = (await friar.do('ends')) as [string, string];
    assert.ok(first < last);
    await friar.do('unregister');
  });

  it('what one of its clients displays is read for the others (XEP-0333, XEP-0280, XEP-0430)', async () => {
    await server.add('paris');
    const paris = await enter('paris', 'hall');
    const phone = await enter('paris', 'phone');
    for (const name of ['one', 'two', 'three']) await juliet.do('ask_markers', { to: paris.jid, body: name, name });
    await paris.messages.next('the last from Juliet', ({ body }) => body === 'three');
    assert.deepEqual(await phone.do('inbox'), [
      [['juliet@localhost', 3, 'three']],
      { total: '1', unread: '1', 'all-unread': '3' },
    ]);
    await paris.do('displayed', { to: 'juliet@localhost', name: 'two' });
    await paris.do('ping', { jid: 'localhost' });
    for (const client of [paris, phone])
      assert.deepEqual(await client.do('inbox'), [
        [['juliet@localhost', 1, 'three']],
        { total: '1', unread: '1', 'all-unread': '1' },
      ]);
    await paris.do('unregister');
  });

  it('an inactive client gets its messages (XEP-0352)', async () => {
    await juliet.do('state', { active: false });
    await romeo.say(juliet.jid, 'art thou gone so?');
    await juliet.messages.next('from Romeo', ({ body }) => body === 'art thou gone so?');
    await juliet.do('state', { active: true });
  });

  it('an account is made, gets another password, and is removed (XEP-0077)', async () => {
    const all = await program();
    const paris = await all.arrive(login('paris', 'tomb', 'a flower'), true);
    await paris.do('passwd', { password: 'another flower' });
    await paris.leave();
    await assert.rejects(all.arrive(login('paris', 'tomb', 'a flower')), /not-authorized/);
    const again = await all.arrive(login('paris', 'tomb', 'another flower'));
    // somebody else of that name
    await assert.rejects(all.arrive(login('paris', 'tomb', 'my own flower'), true), /register: conflict/);
    await again.do('unregister');
    await assert.rejects(all.arrive(login('paris', 'tomb', 'another flower')), /not-authorized/);
  });

  it('an administrator makes a user by an ad-hoc command; others may not (XEP-0050, 0133)', async () => {
    const node = 'http://jabber.org/protocol/admin#add-user';
    assert.ok(((await juliet.do('commands', { jid: 'localhost' })) as string[]).includes(node));
    assert.ok(!((await romeo.do('commands', { jid: 'localhost' })) as string[]).includes(node));
    await assert.rejects(romeo.do('command', { jid: 'localhost', node, fields: {} }), /^Error: forbidden$/);
    const fields = { accountjid: 'nurse@localhost', password: 'anon, madam', 'password-verify': 'anon, madam' };
    await juliet.do('command', { jid: 'localhost', node, fields });
    const nurse = await enter('nurse', 'chamber', 'anon, madam');
    assert.equal(nurse.jid, 'nurse@localhost/chamber');
    const number = 'http://jabber.org/protocol/admin#get-registered-users-num';
    const told = (await juliet.do('command', { jid: 'localhost', node: number, fields: {} })) as {
      values: Record<string, string>;
    };
    assert.equal(Number(told.values.registeredusersnum), 3);
  });
});
