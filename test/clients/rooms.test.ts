import assert from 'node:assert/strict';
import { needs } from '../kit/needs.ts';
import { PythonClients } from './python.ts';
import type { RoomClient, RoomGoer } from './room-goer.ts';
import { portOf, Server, SCRAM, trust } from './server.ts';
import { slixmppRooms } from './slixmpp-rooms.ts';
import { stanzaRooms } from './stanza-rooms.ts';
import { stropheRooms } from './strophe-rooms.ts';

/*
 * Rooms (XEP-0045) between clients that others wrote: two different ones in each play, each of them once as the one who made the room and
 * once as the guest.
 */
let program: PythonClients | undefined;
const slixmpp = slixmppRooms(async () => (program ??= await PythonClients.start()));
const pairs: readonly (readonly [RoomClient, RoomClient])[] = [
  [stanzaRooms, slixmpp],
  [slixmpp, stropheRooms],
  [stropheRooms, stanzaRooms],
];

describe('Rooms', function () {
  this.timeout(60_000);
  let server: Server;
  before(async () => {
    // slixmpp comes to PLAIN in the end, see slixmpp.test.ts
    server = await Server.start({ mechanisms: [...SCRAM, 'PLAIN'], more: 'modules: { rooms: {} }\n' });
    await server.add('romeo', 'juliet');
    await trust(server);
  });
  after(async () => {
    await program?.stop();
    await server?.stop();
  });

  for (const [ours, theirs] of pairs) {
    describe(`of ${ours.name}, with ${theirs.name} as a guest`, () => {
      let romeo: RoomGoer;
      let juliet: RoomGoer;
      let room: string;
      let count = 0;

      before(function () {
        for (const { need } of [ours, theirs]) if (need) needs(this, need);
      });

      const arrive = (client: RoomClient, user: string): Promise<RoomGoer> =>
        client.arrive({
          way: client.way,
          port: portOf(server, client.way),
          user,
          resource: 'garden',
          domain: server.domain,
          password: server.password,
          certificate: server.certificate,
        });
      /** Romeo makes the room, and Juliet comes. */
      const together = async (): Promise<void> => {
        await romeo.enter(room, 'Romeo');
        await romeo.seen.next('that the room is new', ({ nick, codes }) => nick === 'Romeo' && codes.includes(201));
        await romeo.configure(room, {});
        await juliet.enter(room, 'Juliet');
        await romeo.seen.next('that she comes', ({ nick, gone }) => nick === 'Juliet' && !gone);
      };

      beforeEach(async () => {
        room = `${ours.name.replaceAll(/\W/g, '')}-${count++}@conference.localhost`;
        romeo = await arrive(ours, 'romeo');
        juliet = await arrive(theirs, 'juliet');
      });
      afterEach(async () => {
        await romeo.leave();
        await juliet.leave();
      });

      it('a room is made and opened, and the two see each other (7.2, 10.1)', async () => {
        await romeo.enter(room, 'Romeo');
        const own = await romeo.seen.next('his presence', ({ nick }) => nick === 'Romeo');
        assert.deepEqual([own.affiliation, own.role], ['owner', 'moderator']);
        for (const code of [110, 201]) assert.ok(own.codes.includes(code), `${code} is not among ${own.codes.join()}`);
        // as long as it is not configured it is there for nobody else
        await assert.rejects(juliet.enter(room, 'Juliet'), /item-not-found/);
        await romeo.configure(room, {});
        await juliet.enter(room, 'Juliet');
        const him = await juliet.seen.next('him', ({ nick }) => nick === 'Romeo');
        assert.deepEqual([him.affiliation, him.role, him.codes], ['owner', 'moderator', []]);
        const her = await juliet.seen.next('herself', ({ nick }) => nick === 'Juliet');
        assert.deepEqual([her.affiliation, her.role, her.codes.includes(110)], ['none', 'participant', true]);
        const seen = await romeo.seen.next('her', ({ nick }) => nick === 'Juliet');
        assert.deepEqual([seen.affiliation, seen.role, seen.codes], ['none', 'participant', []]);
      });

      it('both hear what is said, with all characters; one can say something to the other alone (7.4, 7.5)', async () => {
        await together();
        const body = 'But <soft>, what light & "window" breaks? 🌹 é ]]&gt;';
        await romeo.sayIn(room, body);
        const said = { room, nick: 'Romeo', body, delayed: false, alone: false };
        assert.deepEqual(await romeo.said.next('his own', () => true), said);
        assert.deepEqual(await juliet.said.next('from him', () => true), said);
        await juliet.whisper(room, 'Romeo', 'Ay me!');
        const alone = { room, nick: 'Juliet', body: 'Ay me!', delayed: false, alone: true };
        assert.deepEqual(await romeo.said.next('from her', () => true), alone);
        for (let line = 1; line <= 20; line++) await juliet.sayIn(room, `line ${line}`);
        for (const listener of [romeo, juliet]) {
          for (let line = 1; line <= 20; line++)
            assert.equal((await listener.said.next('from her', () => true)).body, `line ${line}`);
        }
        assert.deepEqual(juliet.said.rest, []);
      });

      it('who comes later is told of before, as much as was asked for, and the subject (7.2.14, 7.2.15, 8.1)', async () => {
        await romeo.enter(room, 'Romeo');
        await romeo.configure(room, {});
        await romeo.setSubject(room, 'A garden');
        await romeo.subjects.next('his own', ({ subject }) => subject === 'A garden');
        for (const body of ['one', 'two', 'three']) await romeo.sayIn(room, body);
        await romeo.said.next('his own', ({ body }) => body === 'three');
        await juliet.enter(room, 'Juliet', { history: 2 });
        for (const body of ['two', 'three']) {
          const said = await juliet.said.next('of before', () => true);
          assert.deepEqual(said, { room, nick: 'Romeo', body, delayed: true, alone: false });
        }
        assert.deepEqual(await juliet.subjects.next('of the room', () => true), { room, subject: 'A garden' });
        assert.deepEqual(juliet.said.rest, []);
      });

      it('another nickname, seen by both; not one that somebody has (7.2.8, 7.6)', async () => {
        await together();
        await juliet.leaveRoom(room, 'Juliet');
        await assert.rejects(juliet.enter(room, 'Romeo'), /conflict/);
        await juliet.enter(room, 'Juliet');
        await juliet.changeNick(room, 'Nightingale');
        for (const [person, codes] of [
          [romeo, [303]],
          [juliet, [110, 303]],
        ] as const) {
          const gone = await person.seen.next('the old one', ({ newNick }) => newNick !== undefined);
          assert.deepEqual([gone.nick, gone.newNick, gone.codes], ['Juliet', 'Nightingale', codes]);
          await person.seen.next('the new one', ({ nick, gone: left }) => nick === 'Nightingale' && !left);
        }
        await juliet.sayIn(room, 'It was the nightingale');
        assert.equal((await romeo.said.next('from her', () => true)).nick, 'Nightingale');
      });

      it('the configuration is read and changed; who is no member has to go then, and is not let in (10.2)', async () => {
        await together();
        const before = await romeo.configuration(room);
        assert.equal(before['muc#roomconfig_membersonly'], '0');
        await assert.rejects(juliet.configuration(room), /forbidden/);
        const name = 'The <garden> & "orchard"';
        await romeo.configure(room, { 'muc#roomconfig_roomname': name, 'muc#roomconfig_membersonly': '1' });
        const after = await romeo.configuration(room);
        assert.deepEqual(after, {
          ...before,
          'muc#roomconfig_roomname': name,
          'muc#roomconfig_membersonly': '1',
        });
        const gone = await juliet.seen.next('that she has to go', left => left.gone && left.nick === 'Juliet');
        assert.deepEqual(gone.codes, [110, 322]);
        await assert.rejects(juliet.enter(room, 'Juliet'), /registration-required/);
        await romeo.affiliate(room, 'juliet@localhost', 'member');
        await juliet.enter(room, 'Juliet');
        const her = await romeo.seen.next('that she is a member', left => !left.gone && left.affiliation === 'member');
        assert.equal(her.nick, 'Juliet');
      });

      it('a password: without it nobody is let in (7.2.6)', async () => {
        await romeo.enter(room, 'Romeo');
        await romeo.configure(room, {
          'muc#roomconfig_passwordprotectedroom': '1',
          'muc#roomconfig_roomsecret': 'wherefore & "art"',
        });
        await assert.rejects(juliet.enter(room, 'Juliet'), /not-authorized/);
        await assert.rejects(juliet.enter(room, 'Juliet', { password: 'a rose' }), /not-authorized/);
        await juliet.enter(room, 'Juliet', { password: 'wherefore & "art"' });
      });

      it('an invitation comes, and is followed or declined (7.8)', async () => {
        await romeo.enter(room, 'Romeo');
        await romeo.configure(room, { 'muc#roomconfig_membersonly': '1' });
        await romeo.invite(room, 'juliet@localhost', 'come & see');
        const invitation = { room, from: 'romeo@localhost', reason: ours.unreasonable ? '' : 'come & see' };
        assert.deepEqual(await juliet.invitations.next('from Romeo', () => true), invitation);
        if (!ours.undeclining && !theirs.undeclining) {
          await juliet.decline(room, 'romeo@localhost', 'the nurse calls');
          const declined = { room, from: 'juliet@localhost', reason: theirs.unreasonable ? '' : 'the nurse calls' };
          assert.deepEqual(await romeo.declined.next('from Juliet', () => true), declined);
        }
        await romeo.invite(room, 'juliet@localhost', 'once more');
        await juliet.invitations.next('from Romeo', () => true);
        // 7.8.2: who is invited by an admin of a members-only room is a member
        await juliet.enter(room, 'Juliet');
        const her = await romeo.seen.next('her', ({ nick }) => nick === 'Juliet');
        assert.equal(her.affiliation, 'member');
        if (romeo.affiliated) assert.deepEqual(await romeo.affiliated(room, 'member'), ['juliet@localhost']);
      });

      it('she is kicked and comes back, is banned and does not (8.2, 9.1)', async () => {
        await together();
        await assert.rejects(juliet.kick(room, 'Romeo', 'why not'), /not-allowed|forbidden/);
        await romeo.kick(room, 'Juliet', 'parting is such sweet sorrow');
        const reason = ours.unreasonable ? {} : { reason: 'parting is such sweet sorrow' };
        const kicked = { room, nick: 'Juliet', gone: true, affiliation: 'none', role: 'none', ...reason };
        for (const [person, codes] of [
          [juliet, [110, 307]],
          [romeo, [307]],
        ] as const)
          assert.deepEqual(await person.seen.next('that she goes', ({ gone }) => gone), { ...kicked, codes });
        await juliet.enter(room, 'Juliet');
        await romeo.affiliate(room, 'juliet@localhost', 'outcast');
        const banned = await juliet.seen.next('that she is banned', ({ gone, codes }) => gone && codes.includes(301));
        assert.deepEqual([banned.affiliation, banned.codes], ['outcast', [110, 301]]);
        await assert.rejects(juliet.enter(room, 'Juliet'), /forbidden/);
        if (romeo.affiliated) assert.deepEqual(await romeo.affiliated(room, 'outcast'), ['juliet@localhost']);
      });

      it('she leaves, and he sees it; her client ends, and he sees that (7.14)', async () => {
        await together();
        await juliet.leaveRoom(room, 'Juliet');
        const gone = { room, nick: 'Juliet', gone: true, affiliation: 'none', role: 'none', codes: [] };
        assert.deepEqual(await romeo.seen.next('that she goes', left => left.gone), gone);
        await juliet.enter(room, 'Juliet');
        await juliet.leave();
        assert.deepEqual(await romeo.seen.next('that she is gone', left => left.gone), gone);
        juliet = await arrive(theirs, 'juliet');
      });

      it('the room is destroyed, and she is told where to go on (10.9)', async () => {
        await together();
        await romeo.destroy(room, 'the lark', `orchard@conference.localhost`);
        const { codes: _, ...told } = await juliet.seen.next('that she goes', ({ gone }) => gone);
        assert.deepEqual(told, {
          room,
          nick: 'Juliet',
          gone: true,
          affiliation: 'none',
          role: 'none',
          destroyed: 'orchard@conference.localhost',
          reason: 'the lark',
        });
      });
    });
  }
});
