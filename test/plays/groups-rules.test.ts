import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import {
  affiliate,
  affiliated,
  command,
  found,
  GROUPS,
  noteOf,
  refusal,
  resultOf,
  SERVICE,
  village,
} from './groups.ts';
import { admin, configure, enter, make, ok, OWNER, told, USER } from './rooms.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const COMMANDS = 'http://jabber.org/protocol/commands';
const PERSISTENT = { 'muc#roomconfig_persistentroom': '1' };

describe('play: the rules of groups (docs/groups.md)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  const start = async (options?: string, rest?: string): Promise<void> => {
    stage = await village(options, [], rest);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  };
  afterEach(() => stage.stop());

  describe('how many a user may found (R105)', () => {
    it('four, and the fifth is refused with how many there are; ending one makes place', async () => {
      await start();
      const groups = [];
      for (const name of ['Montague', 'Capulet', 'Mantua', 'Verona']) groups.push(await found(romeo, name));
      const fifth = await command(romeo, SERVICE, 'found', { name: 'Padua' });
      assert.equal(refusal(fifth), 'resource-constraint cancel groups-used-up');
      const { there, most } = fifth.getChild('error')!.getChild('groups-used-up', GROUPS)!.attrs;
      assert.deepEqual([there, most], ['4', '4']);
      noteOf(await command(romeo, groups[1]!.jid, 'dissolve'));
      await found(romeo, 'Padua');
    });

    it('the plain way too: a room that is made persistent is a group', async () => {
      await start('{ perUser: 1 }');
      await make(romeo, 'romeo', PERSISTENT, `one@${SERVICE}`);
      await enter(romeo, 'romeo', { room: `two@${SERVICE}` });
      const form = `<x xmlns='jabber:x:data' type='submit'>
        <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>
        <field var='muc#roomconfig_persistentroom'><value>1</value></field></x>`;
      const refused = await romeo.iq('set', `<query xmlns='${OWNER}'>${form}</query>`, `two@${SERVICE}`);
      assert.equal(refusal(refused), 'resource-constraint cancel groups-used-up');
      // it can still be a room for a while
      await configure(romeo, {}, `two@${SERVICE}`);
      // one that is not to stay any more is no group any more
      await configure(romeo, { 'muc#roomconfig_persistentroom': '0' }, `one@${SERVICE}`);
      await configure(romeo, PERSISTENT, `two@${SERVICE}`);
    });

    it('an operator makes exceptions', async () => {
      await start('{ perUser: 1 }', 'admins: [nurse@localhost]\n');
      const nurse = await stage.login('nurse@localhost/home', { presence: true });
      await found(romeo, 'Montague');
      const node = `${GROUPS}#allow`;
      const x = `<x xmlns='jabber:x:data' type='submit'><field var='account'><value>romeo@localhost</value></field>
        <field var='most'><value>2</value></field></x>`;
      const answer = await nurse.iq('set', `<command xmlns='${COMMANDS}' node='${node}'>${x}</command>`, 'localhost');
      assert.equal(noteOf(answer), 'romeo@localhost has 1 groups, and may have 2.');
      await found(romeo, 'Mantua');
      assert.equal(
        refusal(await command(romeo, SERVICE, 'found', { name: 'Verona' })),
        'resource-constraint cancel groups-used-up',
      );
      // administrators found as many as they like
      for (const name of ['One', 'Two']) await found(nurse, name);
    });
  });

  it('a group has a number by which one is found, and tells what it is (R83)', async () => {
    await start();
    const { jid, number } = await found(romeo, 'Montague', { description: 'A house' });
    assert.match(number, /^\d{9}$/);
    const told = resultOf(await command(juliet, SERVICE, 'find', { number }));
    assert.deepEqual(
      ['jid', 'kind', 'name', 'description', 'members', 'registration'].map(field => told.get(field)),
      [jid, 'group', 'Montague', 'A house', '1', 'approval'],
    );
    const none = await command(juliet, SERVICE, 'find', { number: String(Number(number) - 1) });
    assert.equal(refusal(none), 'item-not-found cancel');
  });

  it('the service and a group list their commands, to each those that they may use', async () => {
    await start();
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    const list = async (client: TestClient, to: string) =>
      ok(await client.iq('get', `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`, to))
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node!)
        .filter(node => node.startsWith(GROUPS))
        .map(node => node.split('#')[1]);
    assert.deepEqual(await list(juliet, SERVICE), ['found', 'discuss', 'find']);
    assert.deepEqual(await list(juliet, jid), ['leave']);
    assert.deepEqual(await list(romeo, jid), [
      'leave',
      'transfer',
      'dissolve',
      'decide',
      'mute',
      'mute-all',
      'announce',
    ]);
    const info = ok(await romeo.iq('get', `<query xmlns='${INFO}' node='${GROUPS}#transfer'/>`, jid));
    assert.equal(info.getChild('query')!.getChild('identity')!.attrs.name, 'Transfer the group');
    const form = await romeo.iq('set', `<command xmlns='${COMMANDS}' node='${GROUPS}#transfer'/>`, jid);
    const stage = form.getChild('command', COMMANDS)!;
    assert.equal(stage.attrs.status, 'executing');
    assert.equal(stage.getChild('x', 'jabber:x:data')!.getChildren('field')[1]!.attrs.var, 'to');
  });

  it('a group has no more members than it may', async () => {
    await start('{ size: 3 }');
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    await affiliate(romeo, jid, 'nurse');
    const full = await admin(romeo, 'set', `<item affiliation='member' jid='tybalt@localhost'/>`, jid);
    assert.equal(refusal(full), 'resource-constraint wait group-full');
    // who is banned takes no place
    await affiliate(romeo, jid, 'tybalt', 'outcast');
    await affiliate(romeo, jid, 'nurse', 'none');
    await affiliate(romeo, jid, 'tybalt');
  });

  describe('transferring and leaving (R109)', () => {
    it('an owner leaves only after transferring the group to a member', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      const alone = await command(romeo, jid, 'leave');
      assert.equal(refusal(alone), 'not-allowed cancel owner-must-transfer');
      assert.match(alone.getChild('error')!.getChildText('text')!, /end the group/);
      await affiliate(romeo, jid, 'juliet');
      assert.equal(refusal(await command(romeo, jid, 'leave')), 'not-allowed cancel owner-must-transfer');
      assert.equal(
        refusal(await command(romeo, jid, 'transfer', { to: 'tybalt@localhost' })),
        'not-allowed cancel not-a-member',
      );
      assert.equal(refusal(await command(juliet, jid, 'transfer', { to: 'juliet@localhost' })), 'forbidden auth');
      noteOf(await command(romeo, jid, 'transfer', { to: 'juliet@localhost' }));
      assert.deepEqual(await affiliated(juliet, jid, 'owner'), ['juliet']);
      // who transferred it is a member, and cannot take it back
      assert.equal(refusal(await command(romeo, jid, 'transfer', { to: 'romeo@localhost' })), 'forbidden auth');
      assert.equal(noteOf(await command(romeo, jid, 'leave')), 'You have left Montague.');
      assert.equal(refusal(await command(romeo, jid, 'leave')), 'forbidden auth');
    });

    it('the plain way: <remove/> (XEP-0045 7.10, XEP-0077 3.2) is bound by the same rule', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet');
      const remove = (client: TestClient) =>
        client.iq('set', `<query xmlns='jabber:iq:register'><remove/></query>`, jid);
      const refused = await remove(romeo);
      assert.equal(refusal(refused), 'not-allowed cancel owner-must-transfer');
      noteOf(await command(romeo, jid, 'transfer', { to: 'juliet@localhost' }));
      ok(await remove(romeo));
      assert.equal(refusal(await remove(juliet)), 'not-allowed cancel owner-must-transfer');
      assert.deepEqual(await affiliated(juliet, jid, 'owner'), ['juliet']);
    });

    it('all who are in it see the new owner, and the old one, at once', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague', { nick: 'Romeo' });
      await affiliate(romeo, jid, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      await enter(juliet, 'Juliet', { room: jid });
      await romeo.settle();
      noteOf(await command(romeo, jid, 'transfer', { to: 'juliet@localhost' }));
      const seen = (await juliet.settle()).filter(({ name }) => name === 'presence').map(told);
      assert.deepEqual(seen, ['Juliet owner/moderator juliet 110', 'Romeo member/participant romeo']);
    });

    it('the plain way: an owner makes a member another, not somebody else', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      const stranger = await admin(romeo, 'set', `<item affiliation='owner' jid='juliet@localhost'/>`, jid);
      assert.equal(refusal(stranger), 'not-allowed cancel not-a-member');
      await affiliate(romeo, jid, 'juliet');
      await affiliate(romeo, jid, 'juliet', 'owner');
      noteOf(await command(romeo, jid, 'leave'));
      assert.deepEqual(await affiliated(juliet, jid, 'owner'), ['juliet']);
    });

    it('where it need not be transferred, an admin or who belongs to it longest has it', async () => {
      await start('{ transfer: false }');
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'nurse');
      await affiliate(romeo, jid, 'juliet');
      await affiliate(romeo, jid, 'juliet', 'admin');
      noteOf(await command(romeo, jid, 'leave'));
      assert.deepEqual(await affiliated(juliet, jid, 'owner'), ['juliet']);
    });
  });

  describe('ending (R107)', () => {
    it('all members are told: who is in it, who is not, who is away', async () => {
      await start();
      const { jid, number } = await found(romeo, 'Montague');
      for (const name of ['juliet', 'nurse']) await affiliate(romeo, jid, name);
      await affiliate(romeo, jid, 'tybalt', 'outcast');
      const tybalt = await stage.login('tybalt@localhost/street', { presence: true });
      await enter(romeo, 'Romeo', { room: jid });
      noteOf(await command(romeo, jid, 'dissolve', { reason: 'A plague' }));
      const gone = await romeo.presence(`${jid}/Romeo`, 'unavailable');
      assert.equal(gone.getChild('x', USER)!.getChild('destroy')!.getChildText('reason'), 'A plague');
      const isNotice = (stanza: { getChild(name: string, xmlns: string): unknown }) =>
        stanza.getChild('dissolved', GROUPS) !== undefined;
      const notice = await juliet.expect(isNotice, 'that the group is gone');
      assert.equal(notice.attrs.from, jid);
      assert.equal(notice.getChildText('body'), "The group 'Montague' was ended: A plague");
      const { attrs } = notice.getChild('dissolved', GROUPS)!;
      assert.deepEqual([attrs.name, attrs.number, attrs.by], ['Montague', number, 'romeo@localhost']);
      const nurse = await stage.login('nurse@localhost/home', { presence: true });
      await nurse.expect(isNotice, 'that the group is gone, later');
      assert.ok(!(await tybalt.settle()).some(isNotice));
      assert.equal(refusal(await command(juliet, SERVICE, 'find', { number })), 'item-not-found cancel');
    });

    it('the plain way too (XEP-0045 10.9), by the owner only', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet', 'member');
      assert.equal(refusal(await command(juliet, jid, 'dissolve')), 'forbidden auth');
      ok(await romeo.iq('set', `<query xmlns='${OWNER}'><destroy/></query>`, jid));
      await juliet.expect(stanza => stanza.getChild('dissolved', GROUPS) !== undefined, 'that the group is gone');
    });
  });

  describe('of whom the account is removed', () => {
    const remove = (name: string) => stage.node.accounts.remove(parseJid(`${name}@localhost`)!);

    it('a group goes to another of its members, and ends with the last one', async () => {
      await start('{ discussionFriends: false }');
      const { jid } = await found(romeo, 'Montague', { registration: 'open' });
      const talk = resultOf(await command(romeo, SERVICE, 'discuss', { friends: 'juliet@localhost' })).get('jid')!;
      await affiliate(romeo, jid, 'juliet');
      await affiliate(romeo, jid, 'tybalt', 'outcast');
      await configure(romeo, { 'muc#roomconfig_membersonly': '0' }, jid);
      await remove('romeo');
      for (const room of [jid, talk]) assert.deepEqual(await affiliated(juliet, room, 'owner'), ['juliet']);
      const nurse = await stage.login('nurse@localhost/home', { presence: true });
      await enter(nurse, 'Nurse', { room: jid });
      await remove('juliet');
      const gone = await nurse.presence(`${jid}/Nurse`, 'unavailable');
      assert.ok(gone.getChild('x', USER)!.getChild('destroy'), String(gone));
      for (const room of [jid, talk])
        assert.equal(refusal(await nurse.iq('get', `<query xmlns='${INFO}'/>`, room)), 'item-not-found cancel');
      // the next of her name is told nothing of it
      await stage.node.accounts.create(parseJid('juliet@localhost')!, 'juliet');
      const next = await stage.login('juliet@localhost/balcony', { presence: true });
      assert.ok(!(await next.settle()).some(stanza => stanza.name === 'message'));
    });

    it('a room that is no group stays as it was', async () => {
      await start();
      const room = `temporary@${SERVICE}`;
      await make(romeo, 'Romeo', { room });
      await enter(juliet, 'Juliet', { room });
      await remove('romeo');
      ok(await juliet.iq('get', `<query xmlns='${INFO}'/>`, room));
    });
  });

  describe('applying (R108)', () => {
    const apply = async (client: TestClient, room: string, nick: string): Promise<Element> => {
      const fields = [
        ['muc#register_roomnick', nick],
        ['muc#register_faqentry', 'Please'],
      ].map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
      const x = `<x xmlns='jabber:x:data' type='submit'>${fields.join('')}</x>`;
      return client.iq('set', `<query xmlns='jabber:iq:register'>${x}</query>`, room);
    };
    const listed = async (room: string): Promise<string[]> =>
      ok(await romeo.iq('get', `<applications xmlns='${GROUPS}'/>`, room))
        .getChild('applications', GROUPS)!
        .getChildren('application')
        .map(({ attrs, ...rest }) => `${attrs.jid} ${attrs.nick} ${rest.children.map(String).join('')}`);

    it('who applies waits, also over a start, until an admin or the owner decides, and hears of it', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      ok(await apply(juliet, jid, 'Juliet'));
      const tybalt = await stage.login('tybalt@localhost/street', { presence: true });
      ok(await apply(tybalt, jid, 'Tybalt'));
      assert.equal(refusal(await juliet.iq('get', `<applications xmlns='${GROUPS}'/>`, jid)), 'forbidden auth');
      const { folder } = stage;
      await stage.stop({ keep: true });
      stage = await TestNode.start({ folder, yaml: 'modules: { rooms: {}, groups: {} }\n' });
      romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      const waiting = await listed(jid);
      const names = waiting.map(line => line.split(' ')[0]!);
      assert.deepEqual(names.toSorted(), ['juliet@localhost', 'tybalt@localhost']);
      assert.ok(
        waiting.every(line => line.endsWith('>Please</text>')),
        waiting.join(),
      );
      juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      const yes = { applicant: 'juliet@localhost', allow: '1' };
      assert.equal(refusal(await command(juliet, jid, 'decide', yes)), 'forbidden auth');
      assert.equal(noteOf(await command(romeo, jid, 'decide', yes)), 'juliet@localhost is a member.');
      await juliet.expect(stanza => String(stanza).includes('<invite '), 'that she is let in');
      await enter(juliet, 'Juliet', { room: jid });
      noteOf(await command(romeo, jid, 'decide', { applicant: 'tybalt@localhost', allow: '0', reason: 'Too hot' }));
      assert.deepEqual(await listed(jid), []);
      assert.equal(
        refusal(await command(romeo, jid, 'decide', { applicant: 'tybalt@localhost', allow: '1' })),
        'item-not-found cancel',
      );
      const again = await stage.login('tybalt@localhost/street', { presence: true });
      ok(await apply(again, jid, 'Tybalt'));
    });

    it('who is refused is told why', async () => {
      await start();
      const { jid } = await found(romeo, 'Montague');
      ok(await apply(juliet, jid, 'Juliet'));
      noteOf(await command(romeo, jid, 'decide', { applicant: 'juliet@localhost', allow: '0', reason: 'A Capulet' }));
      const told = await juliet.expect(
        stanza => stanza.getChild('refused', GROUPS) !== undefined,
        'that she is refused',
      );
      assert.equal(told.getChildText('body'), "You were not let in to 'Montague': A Capulet");
    });
  });

  describe('muting', () => {
    let jid: string;
    beforeEach(async () => {
      await start();
      ({ jid } = await found(romeo, 'Montague'));
      await affiliate(romeo, jid, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      await enter(juliet, 'Juliet', { room: jid });
    });
    const say = async (client: TestClient, text: string): Promise<string> => {
      client.send(`<message type='groupchat' to='${jid}' id='${text}'><body>${text}</body></message>`);
      const answer = await client.expect(stanza => stanza.name === 'message' && stanza.attrs.id === text, text);
      return answer.attrs.type === 'error' ? refusal(answer) : 'said';
    };

    it('a member does not speak for a time, and enters and reads', async () => {
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: '10' }));
      const seen = await juliet.expect(stanza => stanza.getChild('muted', GROUPS) !== undefined, 'that she is muted');
      assert.equal(seen.getChild('muted', GROUPS)!.attrs.nick, 'Juliet');
      assert.equal(await say(juliet, 'one'), 'forbidden auth muted');
      assert.equal(await say(romeo, 'two'), 'said');
      assert.equal(
        refusal(await command(juliet, jid, 'mute', { member: 'juliet@localhost', minutes: '0' })),
        'forbidden auth',
      );
      // also when she comes in anew
      juliet.send(`<presence to='${jid}/Juliet' type='unavailable'/>`);
      await enter(juliet, 'Juliet', { room: jid });
      assert.equal(await say(juliet, 'three'), 'forbidden auth muted');
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: '0' }));
      assert.equal(await say(juliet, 'four'), 'said');
    });

    it('the next account by the name of one that was muted is not', async () => {
      await configure(romeo, { 'muc#roomconfig_membersonly': '0' }, jid);
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: 'forever' }));
      await stage.node.accounts.remove(parseJid('juliet@localhost')!);
      await stage.addUser('juliet');
      juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      await enter(juliet, 'Juliet', { room: jid });
      assert.equal(await say(juliet, 'one'), 'said');
    });

    it('a member that is muted says nothing by the subject either', async () => {
      await configure(romeo, { 'muc#roomconfig_changesubject': '1' }, jid);
      const ask = `<message type='groupchat' to='${jid}' id='s1'><subject>Hear me</subject></message>`;
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: '10' }));
      juliet.send(ask);
      const refused = await juliet.expect(({ attrs }) => attrs.id === 's1', 'what becomes of the subject');
      assert.equal(refusal(refused), 'forbidden auth muted');
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: '0' }));
      juliet.send(ask);
      const subject = await juliet.expect(({ attrs }) => attrs.id === 's1', 'the subject');
      assert.equal(subject.attrs.type, 'groupchat');
    });

    it('everybody is muted but admins and the owner, until they are not', async () => {
      noteOf(await command(romeo, jid, 'mute-all', { minutes: 'forever' }));
      assert.equal(await say(juliet, 'one'), 'forbidden auth everybody-muted');
      assert.equal(await say(romeo, 'two'), 'said');
      noteOf(await command(romeo, jid, 'mute-all', { minutes: '0' }));
      assert.equal(await say(juliet, 'three'), 'said');
    });

    it('nobody mutes the owner, nor who is no member', async () => {
      await affiliate(romeo, jid, 'juliet', 'admin');
      const above = await command(juliet, jid, 'mute', { member: 'romeo@localhost', minutes: '1' });
      assert.equal(refusal(above), 'not-allowed cancel');
      const stranger = await command(romeo, jid, 'mute', { member: 'tybalt@localhost', minutes: '1' });
      assert.equal(refusal(stranger), 'item-not-found cancel not-a-member');
    });

    it('it holds after a start of the program', async () => {
      noteOf(await command(romeo, jid, 'mute', { member: 'juliet@localhost', minutes: '10' }));
      const { folder } = stage;
      await stage.stop({ keep: true });
      stage = await TestNode.start({ folder, yaml: 'modules: { rooms: {}, groups: {} }\n' });
      juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      await enter(juliet, 'Juliet', { room: jid });
      assert.equal(await say(juliet, 'one'), 'forbidden auth muted');
    });

    it('an announcement is told to all who are in it, and shown to admins who change it', async () => {
      noteOf(await command(romeo, jid, 'announce', { text: ['Meet at nine', 'in the orchard'] }));
      const heard = await juliet.expect(stanza => stanza.getChild('announcement', GROUPS) !== undefined, 'it');
      assert.equal(heard.getChildText('body'), 'Meet at nine\nin the orchard');
      assert.equal(refusal(await command(juliet, jid, 'announce', { text: 'No' })), 'forbidden auth');
      const form = await romeo.iq('set', `<command xmlns='${COMMANDS}' node='${GROUPS}#announce'/>`, jid);
      assert.match(String(form), /<value>Meet at nine<\/value><value>in the orchard<\/value>/);
    });
  });
});
