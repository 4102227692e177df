import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { features, INFO, ok } from './verona.ts';

const CAM = 'urn:xmpp:cam:0';

describe('play: who has access to an account (XEP-0494)', () => {
  let stage: TestNode;
  let desk: TestClient;

  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'] });
    desk = await stage.login('romeo@localhost/desk', { presence: true });
  });
  after(() => stage.stop());

  /** Logs in by SASL2 as an installation of its own, with a session, and asks for a token. */
  const arrive = async (agent: string, device: string): Promise<TestClient> => {
    const client = await stage.connect();
    await client.open();
    const data = Buffer.from('\0romeo\0romeo').toString('base64');
    client.send(
      `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${data}</initial-response>` +
        `<user-agent id='${agent}'><software>Mantua</software><device>${device}</device></user-agent>` +
        "<bind xmlns='urn:xmpp:bind:0'><tag>m</tag></bind>" +
        "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>",
    );
    const success = await client.expect(stanza => stanza.name === 'success', '<success/>');
    client.jid = success.getChildText('authorization-identifier')!;
    return client;
  };
  const list = async (client = desk): Promise<Element[]> =>
    ok(await client.iq('get', `<list xmlns='${CAM}'/>`))
      .getChild('clients', CAM)!
      .getChildren('client');
  const revoke = (id: string): Promise<Element> => desk.iq('set', `<revoke xmlns='${CAM}' id='${id}'/>`);
  const auth = (client: Element) =>
    client
      .getChild('auth')!
      .getChildElements()
      .map(({ name }) => name);

  it('is advertised by accounts', async () => {
    assert.ok(features(await desk.iq('get', INFO)).includes(CAM));
  });

  it('shows each client, what it says of itself, and how it comes in', async () => {
    const phone = await arrive('phone-1', 'Romeo&apos;s &lt;phone&gt;');
    const clients = await list();
    assert.equal(clients.length, 2);
    const [old, mantua] = clients;
    assert.deepEqual([old!.attrs.connected, old!.attrs.type, auth(old!)], ['true', 'session', ['password']]);
    assert.equal(old!.getChild('user-agent'), undefined);
    assert.deepEqual(
      [mantua!.attrs.connected, mantua!.attrs.type, auth(mantua!)],
      ['true', 'session', ['password', 'fast']],
    );
    assert.equal(mantua!.getChild('user-agent')!.getChildText('software'), 'Mantua');
    assert.equal(mantua!.getChild('user-agent')!.getChildText('device'), "Romeo's <phone>");
    assert.equal(mantua!.getChild('permission')!.attrs.status, 'unrestricted');
    for (const name of ['first-seen', 'last-seen']) {
      const time = mantua!.getChildText(name)!;
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    }
    await phone.end();
    const away = (await list()).find(({ attrs }) => attrs.id === mantua!.attrs.id);
    assert.equal(away!.attrs.connected, 'false');
  });

  it('a client that is revoked is logged out; who knows the password needs another one', async () => {
    const tablet = await arrive('tablet-1', 'tablet');
    const [it] = (await list()).filter(client => client.getChild('user-agent')?.getChildText('device') === 'tablet');
    const answer = await revoke(it!.attrs.id as string);
    assert.equal(condition(answer), 'service-unavailable');
    assert.ok(answer.getChild('error')!.getChild('password-reset-required', CAM));
    assert.equal(await tablet.streamError(), 'not-authorized');
    const [after] = (await list()).filter(({ attrs }) => attrs.id === it!.attrs.id);
    assert.deepEqual([after!.attrs.connected, auth(after!)], ['false', ['password']]);
  });

  it('a client that revokes itself is answered before it is logged out', async () => {
    const tablet = await arrive('tablet-2', 'old tablet');
    const [it] = (await list(tablet)).filter(
      client => client.getChild('user-agent')?.getChildText('device') === 'old tablet',
    );
    const answer = await tablet.iq('set', `<revoke xmlns='${CAM}' id='${it!.attrs.id}'/>`);
    assert.ok(answer.getChild('error')!.getChild('password-reset-required', CAM));
    assert.equal(await tablet.streamError(), 'not-authorized');
    await tablet.untilClosed();
  });

  it('with another password all of them are out, and what is left of them can be taken away', async () => {
    await arrive('phone-2', 'phone').then(client => client.end());
    await stage.node.accounts.setPassword(parseJid('romeo@localhost')!, 'romeo');
    const [phone] = (await list()).filter(({ attrs }) => attrs.connected === 'false');
    assert.deepEqual(auth(phone!), []);
    assert.equal(ok(await revoke(phone!.attrs.id as string)).children.length, 0);
    assert.equal(
      (await list()).some(({ attrs }) => attrs.id === phone!.attrs.id),
      false,
    );
  });

  it('the client that has set another password knows it', async () => {
    const [phone, away] = [await arrive('phone-5', 'new phone'), await arrive('phone-6', 'other phone')];
    const query =
      "<query xmlns='jabber:iq:register'><username>romeo</username><password>new password</password></query>";
    ok(await phone.iq('set', query));
    const knowing = (await list()).filter(client => client.getChild('user-agent') && auth(client).includes('password'));
    assert.deepEqual(
      knowing.map(client => client.getChild('user-agent')!.getChildText('device')),
      ['new phone'],
    );
    assert.equal(condition(await revoke(knowing[0]!.attrs.id as string)), 'service-unavailable');
    await stage.node.accounts.setPassword(parseJid('romeo@localhost')!, 'romeo');
    await away.end();
  });

  it('an id is needed, and it must be of one of the clients', async () => {
    assert.equal(condition(await revoke('')), 'bad-request');
    assert.equal(condition(await revoke('nobody')), 'item-not-found');
  });

  it('is nobody else’s business', async () => {
    const juliet = await stage.login('juliet@localhost/balcony');
    const answer = await juliet.iq('get', `<list xmlns='${CAM}'/>`, 'romeo@localhost');
    assert.equal(condition(answer), 'service-unavailable');
    const [own] = await list(juliet);
    assert.equal(own!.attrs.connected, 'true');
    const [romeos] = await list();
    const take = await juliet.iq('set', `<revoke xmlns='${CAM}' id='${romeos!.attrs.id}'/>`);
    assert.equal(condition(take), 'item-not-found');
  });

  it('goes with the account', async () => {
    const jid = parseJid('romeo@localhost')!;
    await arrive('phone-3', 'phone').then(client => client.end());
    await stage.node.accounts.remove(jid);
    await stage.addUser('romeo');
    assert.deepEqual(await stage.node.clients.list(jid), []);
  });
});
