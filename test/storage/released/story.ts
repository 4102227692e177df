/*
 * What is in the databases of released versions (dump.ts) and has to be served whatever the program has become since: a little in every
 * table. New tables get theirs here, and new versions a dump; what an old dump has never changes.
 */
import assert from 'node:assert/strict';
import { parseJid } from '../../../src/jid/index.ts';
import { Operations } from '../../../src/node/operations.ts';
import { tablesOf } from '../../../src/storage/tables.ts';
import type { TestClient } from '../../kit/client.ts';
import { TestNode } from '../../kit/node.ts';
import { openStorage } from '../../../src/storage/index.ts';
import { ArchiveStore } from '../../../modules/archive/store.ts';
import { ask } from '../../plays/archive.ts';

const PRIVATE = "<query xmlns='jabber:iq:private'>";
const ADMIN = 'http://jabber.org/protocol/admin#';
const MAM = 'urn:xmpp:mam:2';
/** Tables in which nothing need be: what is there for others to write. */
const MAY_BE_EMPTY = ['posthouse_copy'];

/** A node on a database ('' is SQLite in the folder). */
export const nodeOn = (folder: string, url: string): Promise<TestNode> =>
  TestNode.start({
    folder,
    // what was written long ago is not too old
    yaml: `admins: [prince@localhost]\nstorage: { url: '${url}' }\nlogin: { clientsKept: 3660 days }\n`,
  });

/** Lives on a new node. */
export async function live(stage: TestNode): Promise<void> {
  for (const name of ['romeo', 'juliet', 'prince', 'benvolio', 'ärger']) await stage.addUser(name);
  await stage.node.accounts.setStatus(parseJid('ärger@localhost')!, 'disabled');
  const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  const prince = await stage.login('prince@localhost/palace', { presence: true });
  await ok(
    romeo,
    "<query xmlns='jabber:iq:roster'><item jid='nurse@elsewhere.example' name='Frau Ä &amp; Co 🌹'>" +
      '<group>Freunde</group><group>Andere</group></item></query>',
  );
  await ok(juliet, "<query xmlns='jabber:iq:roster'><item jid='friar@localhost'/></query>");
  romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
  await juliet.presence('romeo@localhost', 'subscribe');
  juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
  await romeo.presence('juliet@localhost', 'subscribed');
  romeo.send("<presence to='benvolio@localhost' type='subscribe'><status>Cousin!</status></presence>");
  await ok(romeo, "<vCard xmlns='vcard-temp'><FN>Roméo Montague</FN></vCard>");
  await ok(romeo, `${PRIVATE}<prefs xmlns='exodus:prefs'><nick>R 🌹</nick></prefs></query>`);
  await ok(juliet, "<block xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></block>");
  await ok(
    juliet,
    `<prefs xmlns='${MAM}' default='always'><always/><never><jid>tybalt@localhost</jid></never></prefs>`,
  );
  for (const [n, body] of ['ein Röslein', '🌹', 'rot'].entries()) {
    romeo.send(`<message to='juliet@localhost' type='chat' id='m${n}'><body>${body}</body></message>`);
    await juliet.message();
  }
  juliet.send("<message to='romeo@localhost' type='chat' id='m3'><body>Ay me!</body></message>");
  juliet.send(
    `<message to='romeo@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/></message>`,
  );
  for (const body of ['Good morrow', 'cousin ü'])
    romeo.send(`<message to='benvolio@localhost' type='chat'><body>${body}</body></message>`);
  await command(prince, 'set-motd', { motd: ['Hört, hört!'] });
  await command(prince, 'edit-admin', { adminjids: ['prince@localhost', 'escalus@localhost'] });
  // a client with a token (XEP-0484)
  const phone = await stage.connect();
  await phone.open();
  phone.send(
    `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${Buffer.from('\0romeo\0romeo').toString('base64')}` +
      `</initial-response><user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Mantua</software><device>📱</device></user-agent>` +
      "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>",
  );
  await phone.expect(({ name }) => name === 'success', 'success');
  romeo.send("<presence type='unavailable'><status>Banished</status></presence>");
  for (const client of [romeo, juliet, prince]) await client.settle();
  await romeo.end();
}

/** What came is moved to where it stays in the archive, which a node does when there is much of it. */
export async function settle(folder: string, url: string): Promise<void> {
  const storage = await openStorage({ dataDir: folder, url });
  try {
    await (await ArchiveStore.open(storage)).merge();
  } finally {
    await storage.close();
  }
}

/** Lives on, after `settle`. */
export async function liveOn(stage: TestNode): Promise<void> {
  const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  romeo.send("<message to='juliet@localhost' type='chat' id='m5'><body>Good night</body></message>");
  await romeo.settle();
  const { storage } = stage.node;
  for (const table of await storage.read(q => tablesOf(q, storage.dialect)))
    if (!MAY_BE_EMPTY.includes(table))
      assert.ok(await storage.read(q => q(table).first()), `there is nothing in ${table}: let the story write there`);
}

/** Looks whether all that `live` has left is there. */
export async function served(stage: TestNode): Promise<void> {
  const refused = await stage.connect();
  await assert.rejects(refused.authenticate('ärger', 'ärger'), /account-disabled|not-authorized/);
  const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  const items = (await ok(romeo, "<query xmlns='jabber:iq:roster'/>", 'get')).getChild('query')!.getChildren('item');
  assert.deepEqual(
    items
      .map(({ attrs }) => `${attrs.jid} ${attrs.subscription} ${attrs.ask ?? ''} ${attrs.name ?? ''}`.trim())
      .toSorted((a, b) => (a < b ? -1 : 1)),
    ['benvolio@localhost none subscribe', 'juliet@localhost to', 'nurse@elsewhere.example none  Frau Ä & Co 🌹'],
  );
  const nurse = items.find(({ attrs }) => attrs.jid === 'nurse@elsewhere.example')!;
  assert.deepEqual(
    nurse
      .getChildren('group')
      .map(group => group.getText())
      .toSorted(),
    ['Andere', 'Freunde'],
  );
  const card = await ok(romeo, "<vCard xmlns='vcard-temp'/>", 'get');
  assert.equal(card.getChild('vCard')!.getChildText('FN'), 'Roméo Montague');
  assert.match(String(await ok(romeo, `${PRIVATE}<prefs xmlns='exodus:prefs'/></query>`, 'get')), /<nick>R 🌹<\/nick>/);
  assert.match(String(await ok(juliet, "<blocklist xmlns='urn:xmpp:blocking'/>", 'get')), /paris@localhost/);
  const prefs = await ok(juliet, `<prefs xmlns='${MAM}'/>`, 'get');
  assert.match(String(prefs), /default="always".*<never><jid>tybalt@localhost/);
  const said = async (client: TestClient) => (await ask(client)).results.map(({ body }) => body).filter(Boolean);
  const talk = ['ein Röslein', '🌹', 'rot', 'Ay me!'];
  assert.deepEqual(
    (await said(juliet)).filter(body => !body.includes('Hört')),
    [...talk, 'Good night'],
  );
  assert.deepEqual(
    (await said(romeo)).filter(body => !body.includes('Hört')),
    [...talk, 'Good morrow', 'cousin ü', 'Good night'],
  );
  // what she had displayed is read; what came then is not
  await ok(juliet, "<inbox xmlns='urn:xmpp:inbox:1' unread-only='true'/>", 'get');
  const entry = (await juliet.settle()).map(String).find(text => text.includes('urn:xmpp:inbox:1'))!;
  assert.match(entry, /unread="2".*jid="romeo@localhost"|jid="romeo@localhost".*unread="2"/);
  const benvolio = await stage.login('benvolio@localhost/street', { presence: true });
  // the message of the day is for whoever has not seen it
  const waiting = [(await benvolio.presence('romeo@localhost', 'subscribe')).getChildText('status')!];
  while (waiting.length < 4) waiting.push((await benvolio.message()).getChildText('body')!);
  assert.deepEqual(
    waiting.toSorted((a, b) => (a < b ? -1 : 1)),
    ['Cousin!', 'Good morrow', 'Hört, hört!', 'cousin ü'],
  );
  const operations = new Operations(stage.node);
  const sessions = await operations.run({ command: 'session.list', args: { jid: 'romeo@localhost' } });
  assert.match(JSON.stringify(sessions), /Mantua/);
  assert.deepEqual(stage.node.admins('localhost').map(String), ['prince@localhost', 'escalus@localhost']);
  assert.ok(await stage.node.accounts.exists(parseJid('ärger@localhost')!));
}

async function ok(client: TestClient, payload: string, type: 'get' | 'set' = 'set', to?: string) {
  const answer = await client.iq(type, payload, to);
  assert.equal(answer.attrs.type, 'result', `${payload}: ${String(answer)}`);
  return answer;
}

/** Goes through an ad-hoc command of one form (XEP-0133). */
async function command(client: TestClient, node: string, fields: Record<string, readonly string[]>): Promise<void> {
  const request = (more: string, inner: string): string =>
    `<command xmlns='http://jabber.org/protocol/commands' node='${ADMIN}${node}'${more}>${inner}</command>`;
  const first = await ok(client, request('', ''), 'set', 'localhost');
  const { sessionid } = first.getChild('command')!.attrs;
  const values = Object.entries({ FORM_TYPE: [ADMIN], ...fields }).map(
    ([name, list]) => `<field var='${name}'>${list.map(value => `<value>${value}</value>`).join('')}</field>`,
  );
  const form = `<x xmlns='jabber:x:data' type='submit'>${values.join('')}</x>`;
  const last = await ok(client, request(` sessionid='${sessionid}'`, form), 'set', 'localhost');
  assert.equal(last.getChild('command')!.attrs.status, 'completed', String(last));
}
