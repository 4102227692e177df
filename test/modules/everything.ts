import assert from 'node:assert/strict';
import { ownModules } from '../../src/node/modules/find.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

/** A node with every module of the house on, and something for each of them to do. */
export function everything(): Promise<TestNode> {
  const options: Record<string, object> = {
    registration: { open: true },
    component: { components: { 'echo.localhost': { secret: 'sesame' } } },
    contact: { abuse: ['mailto:abuse@example.org'] },
    'external-services': { services: [{ type: 'turn', host: 'turn.example.org', secret: 'shared' }] },
  };
  const modules = Object.fromEntries(ownModules().map(name => [name, options[name] ?? {}]));
  // JSON is YAML
  return TestNode.start({
    users: ['romeo', 'juliet', 'prince', 'benvolio'],
    yaml: `admins: [prince@localhost]\nmodules: ${JSON.stringify(modules)}\n`,
  });
}

const ADMIN = 'http://jabber.org/protocol/admin#';

/** Uses each module a little; what it does comes out the same whenever it is done. */
export async function useEverything(stage: TestNode, people: Record<'romeo' | 'juliet' | 'prince', TestClient>) {
  const { romeo, juliet, prince } = people;
  const ok = async (client: TestClient, type: 'get' | 'set', payload: string, to?: string) => {
    const answer = await client.iq(type, payload, to);
    assert.equal(answer.attrs.type, 'result', `${payload}: ${String(answer)}`);
    return answer;
  };
  // roster, presence
  await ok(romeo, 'get', "<query xmlns='jabber:iq:roster'/>");
  await ok(juliet, 'get', "<query xmlns='jabber:iq:roster'/>");
  await ok(romeo, 'set', "<query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse'/></query>");
  romeo.send("<presence to='juliet@localhost' type='subscribe'><status>It is I.</status></presence>");
  // friend-requests, blocking
  await ok(juliet, 'get', "<requests xmlns='urn:posthouse:friend-requests:0'/>");
  juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
  await ok(juliet, 'set', "<block xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></block>");
  await ok(juliet, 'get', "<blocklist xmlns='urn:xmpp:blocking'/>");
  // carbons, messages, stanza ids
  await ok(juliet, 'set', "<enable xmlns='urn:xmpp:carbons:2'/>");
  romeo.send("<message to='juliet@localhost' type='chat' id='m1'><body>A rose</body></message>");
  // archive, inbox
  await ok(juliet, 'get', "<inbox xmlns='urn:xmpp:inbox:1'/>");
  juliet.send(
    "<message to='romeo@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/></message>",
  );
  // offline, stored
  romeo.send("<message to='benvolio@localhost' type='chat' id='m2'><body>Good morrow, cousin</body></message>");
  // private-storage, vcard, last-activity, ping, version, time, external-services
  await ok(
    romeo,
    'set',
    "<query xmlns='jabber:iq:private'><prefs xmlns='urn:example:prefs'><nick>R</nick></prefs></query>",
  );
  await ok(romeo, 'get', "<query xmlns='jabber:iq:private'><prefs xmlns='urn:example:prefs'/></query>");
  await ok(romeo, 'set', "<vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard>");
  await ok(juliet, 'get', "<vCard xmlns='vcard-temp'/>", 'romeo@localhost');
  for (const [payload, to] of [
    ["<query xmlns='jabber:iq:last'/>", undefined],
    ["<query xmlns='jabber:iq:last'/>", 'localhost'],
    ["<ping xmlns='urn:xmpp:ping'/>", 'localhost'],
    ["<query xmlns='jabber:iq:version'/>", 'localhost'],
    ["<time xmlns='urn:xmpp:time'/>", 'localhost'],
    ["<services xmlns='urn:xmpp:extdisco:2'/>", 'localhost'],
    ["<query xmlns='http://jabber.org/protocol/disco#info'/>", 'localhost'],
    ["<query xmlns='http://jabber.org/protocol/disco#items'/>", 'localhost'],
    ["<query xmlns='jabber:iq:register'/>", undefined],
  ] as const)
    await ok(romeo, 'get', payload, to);
  // search
  await ok(romeo, 'set', "<entry xmlns='urn:posthouse:directory:0' by-name='true'/>");
  await ok(juliet, 'get', "<query xmlns='jabber:iq:search'/>", 'search.localhost');
  await ok(juliet, 'set', "<query xmlns='jabber:iq:search'><nick>rom</nick></query>", 'search.localhost');
  // push
  const enabled = await romeo.iq('set', "<enable xmlns='urn:xmpp:push:0' jid='push.example.net' node='a'/>");
  assert.equal(enabled.attrs.type, 'result');
  await ok(juliet, 'get', "<query xmlns='http://jabber.org/protocol/disco#info'/>", 'push.localhost');
  // commands, administration
  const command = (node: string) =>
    ok(prince, 'set', `<command xmlns='http://jabber.org/protocol/commands' node='${ADMIN}${node}'/>`, 'localhost');
  await command('get-online-users-num');
  await command('add-user');
  // registration
  const stranger = await stage.connect();
  await stranger.open();
  stranger.send("<iq type='get' id='r1'><query xmlns='jabber:iq:register'/></iq>");
  await stranger.expect(stanza => stanza.attrs.id === 'r1', 'the form');
  await stranger.end();
  // uploads
  const slot = await ok(
    romeo,
    'get',
    "<request xmlns='urn:xmpp:http:upload:0' filename='rose.txt' size='4'/>",
    'upload.localhost',
  );
  const [put, get] = slot
    .getChild('slot')!
    .getChildElements()
    .map(({ attrs }) => new URL(attrs.url!).pathname);
  const place = `http://127.0.0.1:${stage.httpPort}`;
  assert.equal((await fetch(place + put, { method: 'PUT', body: 'rose' })).status, 201);
  assert.equal(await (await fetch(place + get)).text(), 'rose');
  // a directed presence, and what has come until now
  romeo.send("<presence to='prince@localhost/palace'/>");
  for (const client of [romeo, juliet, prince]) await client.settle();
}
