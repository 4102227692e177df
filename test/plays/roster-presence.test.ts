import assert from 'node:assert/strict';
import { condition } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

describe('Roster and presence: RFC 6121 2 to 4', () => {
  let server: TestNode;
  beforeEach(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet'] });
  });
  afterEach(() => server.stop());

  const ROSTER = "<query xmlns='jabber:iq:roster'/>";
  const set = (item: string): string => `<query xmlns='jabber:iq:roster'>${item}</query>`;

  it('romeo adds juliet to his roster; all his interested resources are told (2.3)', async () => {
    const orchard = await server.login('romeo@localhost/orchard');
    const chamber = await server.login('romeo@localhost/chamber');
    const outside = await server.login('romeo@localhost/outside');
    await orchard.iq('get', ROSTER);
    await chamber.iq('get', ROSTER);
    const answer = await orchard.iq(
      'set',
      set("<item jid='juliet@localhost' name='Juliet'><group>Lovers</group></item>"),
    );
    assert.equal(answer.attrs.type, 'result');
    for (const client of [orchard, chamber]) {
      const push = await client.expect(s => s.attrs.type === 'set', 'a roster push');
      const item = push.getChild('query')!.getChild('item')!;
      assert.deepEqual({ ...item.attrs }, { jid: 'juliet@localhost', name: 'Juliet', subscription: 'none' });
      assert.equal(item.getChildText('group'), 'Lovers');
    }
    assert.deepEqual(await outside.settle(), []);
  });

  it('the answer to a removal comes after everything else that it causes (2.5.2)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await romeo.iq('get', ROSTER);
    romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
    await juliet.presence('romeo@localhost', 'subscribe');
    await romeo.settle();
    await juliet.settle();
    await romeo.iq('set', set("<item jid='juliet@localhost' subscription='remove'/>"));
    // at this moment, without waiting
    assert.deepEqual(
      juliet.inbox.map(({ attrs }) => attrs.type),
      ['unsubscribe'],
    );
    assert.deepEqual(
      romeo.inbox.map(({ attrs }) => attrs.type),
      ['set'],
    );
  });

  it('refuses what RFC 6121 2.3.3 refuses', async () => {
    const romeo = await server.login('romeo@localhost/orchard');
    const cases: [string, string][] = [
      ["<item jid='a@b'/><item jid='c@d'/>", 'bad-request'],
      ['', 'bad-request'],
      ["<item jid='a@b'><group>x</group><group>x</group></item>", 'bad-request'],
      ["<item jid='a@b'><group/></item>", 'not-acceptable'],
      [`<item jid='a@b' name='${'x'.repeat(2000)}'/>`, 'not-acceptable'],
      ["<item jid='@b'/>", 'jid-malformed'],
      ["<item jid='nobody@localhost' subscription='remove'/>", 'item-not-found'],
    ];
    for (const [items, expected] of cases) assert.equal(condition(await romeo.iq('set', set(items))), expected, items);
    assert.equal(condition(await romeo.iq('set', set("<item jid='a@b'/>"), 'juliet@localhost')), 'forbidden');
    assert.equal(condition(await romeo.iq('get', ROSTER, 'juliet@localhost')), 'service-unavailable');
  });

  it('sends nothing when the version is the newest (2.6)', async () => {
    const romeo = await server.login('romeo@localhost/orchard');
    await romeo.iq('set', set("<item jid='juliet@localhost'/>"));
    const first = await romeo.iq('get', ROSTER);
    const ver = first.getChild('query')!.attrs.ver!;
    const second = await romeo.iq('get', `<query xmlns='jabber:iq:roster' ver='${ver}'/>`);
    assert.equal(second.children.length, 0);
    await romeo.iq('set', set("<item jid='juliet@localhost' name='J'/>"));
    const third = await romeo.iq('get', `<query xmlns='jabber:iq:roster' ver='${ver}'/>`);
    const query = third.getChild('query')!;
    assert.notEqual(query.attrs.ver, ver);
    assert.equal(query.getChild('item')!.attrs.name, 'J');
  });

  it('romeo asks, juliet accepts, each sees the other come and go (3.1, 4)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await romeo.iq('get', ROSTER);
    await juliet.iq('get', ROSTER);
    romeo.send("<presence to='juliet@localhost' type='subscribe'><status>Hi!</status></presence>");
    const request = await juliet.presence('romeo@localhost', 'subscribe');
    assert.equal(request.getChildText('status'), 'Hi!');
    const asking = await romeo.expect(s => s.attrs.type === 'set', 'a push');
    assert.equal(asking.getChild('query')!.getChild('item')!.attrs.ask, 'subscribe');

    juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
    await romeo.presence('juliet@localhost', 'subscribed');
    await romeo.presence('juliet@localhost/balcony');
    const to = await romeo.expect(s => s.attrs.type === 'set', 'a push');
    assert.equal(to.getChild('query')!.getChild('item')!.attrs.subscription, 'to');
    const from = await juliet.expect(s => s.attrs.type === 'set', 'a push');
    assert.equal(from.getChild('query')!.getChild('item')!.attrs.subscription, 'from');

    juliet.send('<presence><show>away</show></presence>');
    const away = await romeo.presence('juliet@localhost/balcony');
    assert.equal(away.getChildText('show'), 'away');
    juliet.destroy();
    await romeo.presence('juliet@localhost/balcony', 'unavailable');

    // who comes later is shown by the probe of its server (4.3)
    const again = await server.login('juliet@localhost/balcony', { presence: true });
    await romeo.presence('juliet@localhost/balcony');
    const chamber = await server.login('romeo@localhost/chamber', { presence: true });
    await chamber.presence('juliet@localhost/balcony');
    await chamber.presence('romeo@localhost/orchard');
    again.send("<presence to='romeo@localhost' type='unsubscribed'/>");
    await romeo.presence('juliet@localhost/balcony', 'unavailable');
    await romeo.presence('juliet@localhost', 'unsubscribed');
  });

  it('a request waits for who is away, with its text, until it is answered (3.1.3)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    romeo.send("<presence to='juliet@localhost' type='subscribe'><status>It is I</status></presence>");
    await romeo.settle();
    for (let times = 0; times < 2; times++) {
      const juliet = await server.login('juliet@localhost/balcony', { presence: true });
      assert.equal((await juliet.presence('romeo@localhost', 'subscribe')).getChildText('status'), 'It is I');
      await juliet.end();
    }
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await juliet.presence('romeo@localhost', 'subscribe');
    juliet.send("<presence to='romeo@localhost' type='unsubscribed'/>");
    await romeo.presence('juliet@localhost', 'unsubscribed');
    const later = await server.login('juliet@localhost/later', { presence: true });
    assert.deepEqual(
      (await later.settle()).filter(s => s.attrs.type === 'subscribe'),
      [],
    );
  });

  it('an ignored request is kept apart and can be found again', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    romeo.send("<presence to='juliet@localhost' type='subscribe'><status>Again</status></presence>");
    await romeo.settle();
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await juliet.presence('romeo@localhost', 'subscribe');
    await juliet.iq('set', "<ignore xmlns='urn:posthouse:friend-requests:0' jid='romeo@localhost'/>");
    const later = await server.login('juliet@localhost/later', { presence: true });
    assert.deepEqual(
      (await later.settle()).filter(s => s.attrs.type === 'subscribe'),
      [],
    );
    const list = await later.iq('get', "<requests xmlns='urn:posthouse:friend-requests:0'/>");
    const request = list.getChild('requests')!.getChild('request')!;
    assert.equal(request.attrs.ignored, 'true');
    assert.equal(request.getChildText('text'), 'Again');
  });

  it('directed presence is taken back when its sender goes (4.6)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    romeo.send("<presence to='juliet@localhost/balcony'><status>here</status></presence>");
    await juliet.presence('romeo@localhost/orchard');
    await romeo.end();
    await juliet.presence('romeo@localhost/orchard', 'unavailable');
  });

  it('removing a contact ends the subscriptions (2.5.2)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    for (const [one, other] of [
      [romeo, juliet],
      [juliet, romeo],
    ] as const) {
      const address = other.jid.split('/')[0]!;
      one.send(`<presence to='${address}' type='subscribe'/>`);
      await other.presence(one.jid.split('/')[0]!, 'subscribe');
      other.send(`<presence to='${one.jid.split('/')[0]!}' type='subscribed'/>`);
      await one.presence(address, 'subscribed');
    }
    await romeo.iq('set', set("<item jid='juliet@localhost' subscription='remove'/>"));
    await juliet.presence('romeo@localhost', 'unsubscribe');
    await juliet.presence('romeo@localhost/orchard', 'unavailable');
    await juliet.presence('romeo@localhost', 'unsubscribed');
    const roster = await juliet.iq('get', ROSTER);
    assert.equal(roster.getChild('query')!.getChild('item')!.attrs.subscription, 'none');
  });

  it('pre-approval answers for the account (3.4)', async () => {
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
    await juliet.settle();
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
    await romeo.presence('juliet@localhost', 'subscribed');
    await romeo.presence('juliet@localhost/balcony');
  });

  it('a priority that is none is refused, negative ones are not', async () => {
    const romeo = await server.login('romeo@localhost/orchard');
    romeo.send("<presence id='p'><priority>999</priority></presence>");
    assert.equal(condition(await romeo.presence(undefined, 'error')), 'bad-request');
    romeo.send('<presence><priority>-128</priority></presence>');
    await romeo.presence('romeo@localhost/orchard');
  });
});
