import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { affiliate, affiliated, command, found, GROUPS, noteOf, refusal, resultOf, SERVICE } from '../plays/groups.ts';
import { enter, ok } from '../plays/rooms.ts';
import { Operated } from './program.ts';

const DATA = 'jabber:x:data';
const SEARCH = 'urn:xmpp:channel-search:0:search';
const REGISTER = 'http://jabber.org/protocol/muc#register';

const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
const submit = (...fields: string[]): string => `<x xmlns='${DATA}' type='submit'>${fields.join('')}</x>`;

/** As somebody new would do it; the server is killed (kill -9) between the scenes. */
describe('a walk: a discussion group, a group that somebody finds and is let in to, and a new owner', function () {
  this.timeout(180_000);
  let node: Operated;
  const on = new Map<string, TestClient>();
  const names = ['romeo', 'juliet', 'nurse'];
  const client = (name: string): TestClient => on.get(name)!;

  const come = async (...who: string[]): Promise<void> => {
    for (const name of who) {
      const one = await node.login(`${name}@localhost/home`);
      on.set(name, one);
      one.send('<presence/>');
      await one.settle();
    }
  };
  /** Whatever was answered before is there after it. */
  const killed = async (...who: string[]): Promise<void> => {
    await node.kill();
    await node.start();
    await come(...who);
  };
  const say = async (name: string, room: string, text: string): Promise<void> => {
    client(name).send(`<message type='groupchat' to='${room}'><body>${text}</body></message>`);
    await client(name).expect(stanza => stanza.getChildText('body') === text, text);
  };
  const history = (stanzas: readonly Element[]): string[] =>
    stanzas.flatMap(stanza => stanza.getChildText('body') ?? []);

  before(async () => {
    node = await Operated.start('modules: { rooms: {}, groups: {} }\n');
    await node.add(...names);
    await come(...names);
  });
  after(() => node.remove());

  let talk: string;
  let verona: { jid: string; number: string };

  it('two friends begin a discussion group and talk in it', async () => {
    for (const [one, other] of [
      ['romeo', 'juliet'],
      ['juliet', 'romeo'],
    ] as const) {
      client(one).send(`<presence type='subscribe' to='${other}@localhost'/>`);
      client(one).send(`<presence type='subscribed' to='${other}@localhost'/>`);
      await client(one).settle();
    }
    const made = await command(client('romeo'), SERVICE, 'discuss', { name: 'Tonight', friends: 'juliet@localhost' });
    talk = resultOf(made).get('jid')!;
    await client('juliet').expect(stanza => String(stanza).includes('<invite '), 'an invitation');
    await enter(client('romeo'), 'Romeo', { room: talk });
    await enter(client('juliet'), 'Juliet', { room: talk });
    await say('romeo', talk, 'It is the east');
    await killed(...names);
    const past = await enter(client('juliet'), 'Juliet', { room: talk });
    assert.deepEqual(history(past), ['It is the east']);
  });

  it('one founds a group; somebody finds it by its name and by its number, and applies', async () => {
    verona = await found(client('juliet'), 'Fair Verona', { nick: 'Juliet' });
    await killed('juliet', 'nurse');
    const asks = submit(field('FORM_TYPE', 'urn:xmpp:channel-search:0:search-params'), field('q', 'verona'));
    const search = await client('nurse').iq('get', `<search xmlns='${SEARCH}'>${asks}</search>`, SERVICE);
    const items = search.getChild('result', SEARCH)!.getChildren('item');
    // the discussion group is found by nobody
    assert.deepEqual(
      items.map(({ attrs }) => attrs.address),
      [verona.jid],
    );
    const byNumber = resultOf(await command(client('nurse'), SERVICE, 'find', { number: verona.number }));
    assert.equal(byNumber.get('jid'), verona.jid);
    client('nurse').send(`<presence to='${verona.jid}/Nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    const refused = await client('nurse').presence(`${verona.jid}/Nurse`, 'error');
    assert.ok(refused.getChild('error')!.getChild('registration-required'));
    const text = submit(field('muc#register_roomnick', 'Nurse'), field('muc#register_faqentry', 'I know her of old'));
    ok(await client('nurse').iq('set', `<query xmlns='jabber:iq:register'>${text}</query>`, verona.jid));
    const asked = await client('juliet').expect(
      stanza => stanza.name === 'message' && String(stanza).includes(REGISTER),
      'what the nurse asks for',
    );
    assert.match(String(asked), /I know her of old/);
  });

  it('the owner lets her in, after the server was killed', async () => {
    await killed('juliet', 'nurse');
    const decision = submit(
      field('FORM_TYPE', REGISTER),
      field('{urn:posthouse:rooms:0}jid', 'nurse@localhost'),
      field('muc#register_roomnick', 'Nurse'),
      field('muc#register_allow', '1'),
    );
    client('juliet').send(`<message to='${verona.jid}'>${decision}</message>`);
    await client('nurse').expect(stanza => String(stanza).includes('<invite '), 'that she is let in');
    await enter(client('nurse'), 'Nurse', { room: verona.jid });
    await say('nurse', verona.jid, 'Even or odd');
  });

  it('the owner cannot leave, hands over, and leaves', async () => {
    const juliet = client('juliet');
    assert.equal(refusal(await command(juliet, verona.jid, 'leave')), 'not-allowed cancel owner-must-transfer');
    noteOf(await command(juliet, verona.jid, 'transfer', { to: 'nurse@localhost' }));
    await killed('juliet', 'nurse');
    ok(await client('juliet').iq('set', `<query xmlns='jabber:iq:register'><remove/></query>`, verona.jid));
    await killed('juliet', 'nurse');
    const past = await enter(client('nurse'), 'Nurse', { room: verona.jid });
    assert.deepEqual(history(past), ['Even or odd']);
    assert.deepEqual(await affiliated(client('nurse'), verona.jid, 'owner'), ['nurse']);
    client('juliet').send(`<presence to='${verona.jid}/J'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    const outside = await client('juliet').presence(`${verona.jid}/J`, 'error');
    assert.ok(outside.getChild('error')!.getChild('registration-required'));
  });

  it('the new owner ends it: all are told, also who is away', async () => {
    await affiliate(client('nurse'), verona.jid, 'romeo');
    noteOf(await command(client('nurse'), verona.jid, 'dissolve', { reason: 'A plague' }));
    await node.kill();
    await node.start();
    on.set('romeo', await node.login('romeo@localhost/home'));
    client('romeo').send('<presence/>');
    const told = await client('romeo').expect(stanza => stanza.getChild('dissolved', GROUPS) !== undefined, 'the end');
    assert.equal(told.getChildText('body'), "The group 'Fair Verona' was ended: A plague");
    const none = await command(client('romeo'), SERVICE, 'find', { number: verona.number });
    assert.equal(refusal(none), 'item-not-found cancel');
  });
});
