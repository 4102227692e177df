import assert from 'node:assert/strict';
import path from 'node:path';
import type { Agent } from 'stanza';
import { needs } from '../kit/needs.ts';
import { Operated } from '../operator/program.ts';
import type { Login } from './person.ts';
import { PythonClients, type SlixmppClient } from './python.ts';
import type { RoomGoer } from './room-goer.ts';
import { SCRAM, trust } from './server.ts';
import { goer } from './slixmpp-rooms.ts';
import { agentOf, offline, online } from './stanza.ts';
import { Goer } from './stanza-rooms.ts';

const GROUPS = 'urn:posthouse:groups:0';
const SERVICE = 'conference.localhost';

type Fields = Readonly<Record<string, string>>;
interface Done {
  readonly values: Record<string, string>;
}

/** Groups (docs/groups.md) between clients that others wrote and that know nothing of them; the server is killed between the scenes. */
describe('a walk through groups with stanza and slixmpp', function () {
  this.timeout(60_000);
  let node: Operated;
  let program: PythonClients;
  let agent: Agent;
  let romeo: RoomGoer;
  let client: SlixmppClient;
  let juliet: RoomGoer;

  before(async function () {
    needs(this, { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' });
    // slixmpp comes to PLAIN in the end, see slixmpp.test.ts
    const login = `login: { mechanisms: [${[...SCRAM, 'PLAIN'].join(', ')}] }\n`;
    node = await Operated.start(`modules: { rooms: {}, groups: {} }\n${login}`);
    await trust({ certificate: path.join(node.data, 'certificates', 'localhost.crt') });
    await node.add('romeo', 'juliet');
    program = await PythonClients.start();
    await come();
  });
  after(async () => {
    if (program) await leave();
    await program?.stop();
    await node?.remove();
  });

  const loginOf = (user: string, way: Login['way'], port: number): Login => ({
    way,
    port,
    user,
    resource: 'garden',
    domain: 'localhost',
    password: user,
    certificate: path.join(node.data, 'certificates', 'localhost.crt'),
  });
  async function come(): Promise<void> {
    agent = agentOf(loginOf('romeo', 'WebSocket', node.ports.https));
    romeo = new Goer(agent);
    await online(agent);
    await agent.getRoster();
    agent.sendPresence();
    client = await program.arrive(loginOf('juliet', 'STARTTLS', node.ports.xmpp));
    juliet = goer(client);
  }
  const leave = async (): Promise<void> => {
    await offline(agent);
    await juliet.leave();
  };
  const killed = async (): Promise<void> => {
    await leave();
    await node.kill();
    await node.start();
    await come();
  };

  const formOf = (fields: Fields) => ({
    type: 'submit' as const,
    fields: Object.entries(fields).map(([name, value]) => ({ name, value })),
  });
  /** A command of Romeo's. */
  const run = async (jid: string, name: string, fields: Fields): Promise<Record<string, string>> => {
    const form = formOf({ FORM_TYPE: `${GROUPS}#${name}`, ...fields });
    const command = { node: `${GROUPS}#${name}`, action: 'complete' as const, form };
    const answer = await agent.sendIQ({ to: jid, type: 'set', command });
    const told = answer.command?.form?.fields ?? [];
    return Object.fromEntries(told.map(field => [field.name ?? '', String(field.value)]));
  };
  /** One of Juliet's. */
  const command = async (jid: string, name: string, fields: Fields = {}): Promise<Record<string, string>> =>
    ((await client.do('command', { jid, node: `${GROUPS}#${name}`, fields })) as Done).values;
  /** One speaks, both hear it. */
  const talk = async (from: RoomGoer, room: string, body: string): Promise<void> => {
    await from.sayIn(room, body);
    for (const listener of [romeo, juliet])
      await listener.said.next(body, said => said.room === room && said.body === body && !said.delayed);
  };

  let verona: string;

  it('two friends begin a discussion group and talk in it', async () => {
    const asked = new Promise<void>(resolve => agent.once('subscribe', () => resolve()));
    agent.subscribe('juliet@localhost');
    await client.presences.next('his request', ({ type }) => type === 'subscribe');
    await client.accept('romeo@localhost');
    await client.befriend('romeo@localhost');
    await asked;
    agent.acceptSubscription('juliet@localhost');
    const { jid } = await run(SERVICE, 'discuss', { name: 'Tonight', friends: 'juliet@localhost' });
    const invitation = await juliet.invitations.next('to the group', () => true);
    assert.equal(invitation.room, jid);
    await romeo.enter(jid!, 'Romeo');
    await juliet.enter(jid!, 'Juliet');
    await talk(romeo, jid!, 'It is the east');
    await talk(juliet, jid!, 'Ay me!');
  });

  it('one founds a group; the other finds it, applies and is let in', async () => {
    ({ jid: verona } = (await command(SERVICE, 'found', { name: 'Fair Verona', nick: 'Juliet' })) as { jid: string });
    await killed();
    const { items } = await agent.getDiscoItems(SERVICE);
    assert.deepEqual(
      items.map(({ jid, name }) => [jid, name?.split(' (')[0]]),
      [[verona, 'Fair Verona']],
    );
    await assert.rejects(romeo.enter(verona, 'Romeo'), /registration-required/);
    const form = formOf({
      FORM_TYPE: 'http://jabber.org/protocol/muc#register',
      'muc#register_roomnick': 'Romeo',
      'muc#register_faqentry': 'I know her',
    });
    await agent.sendIQ({ to: verona, type: 'set', account: { form } });
    await killed();
    await command(verona, 'decide', { applicant: 'romeo@localhost', allow: '1' });
    const invitation = await romeo.invitations.next('that he is let in', () => true);
    assert.equal(invitation.room, verona);
    await juliet.enter(verona, 'Juliet');
    await romeo.enter(verona, 'Romeo');
    await talk(romeo, verona, 'But soft');
  });

  it('the owner cannot leave, hands over, and leaves', async () => {
    await assert.rejects(command(verona, 'leave'), /not-allowed/);
    await command(verona, 'transfer', { to: 'romeo@localhost' });
    const owner = await romeo.seen.next(
      'that he owns it',
      seen => seen.nick === 'Romeo' && seen.affiliation === 'owner',
    );
    assert.equal(owner.room, verona);
    await killed();
    await command(verona, 'leave');
    await assert.rejects(juliet.enter(verona, 'Juliet'), /registration-required/);
    await romeo.enter(verona, 'Romeo');
    await romeo.said.next('what was said', said => said.body === 'But soft' && said.delayed);
    assert.deepEqual(await romeo.affiliated!(verona, 'owner'), ['romeo@localhost']);
    assert.deepEqual(await romeo.affiliated!(verona, 'member'), []);
  });
});
