import assert from 'node:assert/strict';
import { Cable } from './cable.ts';
import { type Need, needs } from '../kit/needs.ts';
import type { Arrive, Person, Way } from './person.ts';
import { portOf, SCRAM, Server, trust } from './server.ts';

/** What a client is known to lack; the plays that need it are not given with it. */
export interface Lacks {
  readonly resumption?: boolean;
  /** What has to be installed for it. */
  readonly need?: Need;
  /** It takes half a second of the processor to derive keys, so it logs in by PLAIN where SCRAM is not the subject. */
  readonly haste?: boolean;
  /** Those of the server's mechanisms that it gets along with; all by SCRAM, without and with channel binding, when left out. */
  readonly mechanisms?: readonly string[];
}

/** The first day of two people with a client of others, over each of these transports, against a server of their own. */
export function plays(client: string, ways: readonly Way[], arrive: Arrive, lacks: Lacks = {}): void {
  describe(client, function () {
    this.timeout(60_000);
    let server: Server;
    before(async function () {
      if (lacks.need) needs(this, lacks.need);
      server = await Server.start({ mechanisms: lacks.haste ? [...SCRAM, 'PLAIN'] : lacks.mechanisms });
      await trust(server);
    });
    after(() => server?.stop());
    for (const way of ways) play(way, () => server, arrive, lacks);
  });
}

function play(way: Way, serverOf: () => Server, arrive: Arrive, lacks: Lacks): void {
  describe(`over ${way}`, () => {
    let server: Server;
    let cable: Cable;
    let present: Person[];

    before(async () => {
      server = serverOf();
      await server.add('romeo', 'juliet');
      cable = await Cable.to(portOf(server, way));
    });
    beforeEach(() => {
      present = [];
    });
    afterEach(async () => {
      for (const person of present) await person.leave();
    });
    after(() => cable?.remove());

    const enter = async (user: string, resource: string, { port = portOf(server, way), scram = false } = {}) => {
      const { domain, password, certificate } = server;
      const by = lacks.haste ? (scram ? 'SCRAM' : 'PLAIN') : undefined;
      const person = await arrive({ way, port, user, resource, domain, password, certificate, by });
      present.push(person);
      // whoever comes now finds it there
      await person.presences.next('its own presence', ({ type, from }) => type === 'available' && from === person.jid);
      return person;
    };
    const leave = async (person: Person): Promise<void> => {
      present.splice(present.indexOf(person), 1);
      await person.leave();
    };

    it('a wrong password is refused', async () => {
      await assert.rejects(
        arrive({
          way,
          port: portOf(server, way),
          user: 'romeo',
          resource: 'garden',
          domain: server.domain,
          password: 'a rose',
          certificate: server.certificate,
        }).then(person => person.leave()),
        /not-authorized/,
      );
    });

    it('Romeo logs in by SCRAM and has the address that he asked for', async () => {
      const romeo = await enter('romeo', 'garden', { scram: true });
      // with Bind 2 the server adds to it (XEP-0386 4.1)
      assert.match(romeo.jid, /^romeo@localhost\/garden(\/[\w-]{12})?$/);
      assert.deepEqual(await romeo.roster(), []);
    });

    it('Romeo asks to see Juliet, she agrees, and both rosters say so', async () => {
      const romeo = await enter('romeo', 'garden');
      const juliet = await enter('juliet', 'balcony');
      await romeo.befriend('juliet@localhost');
      await juliet.presences.next(
        'the request of Romeo',
        ({ type, from }) => type === 'subscribe' && from === 'romeo@localhost',
      );
      await juliet.accept('romeo@localhost');
      await romeo.presences.next(
        'the answer of Juliet',
        ({ type, from }) => type === 'subscribed' && from === 'juliet@localhost',
      );
      await romeo.presences.next(
        'the presence of Juliet',
        ({ type, from }) => type === 'available' && from === juliet.jid,
      );
      assert.deepEqual(await romeo.roster(), [{ jid: 'juliet@localhost', subscription: 'to' }]);
      await juliet.befriend('romeo@localhost');
      await romeo.presences.next(
        'the request of Juliet',
        ({ type, from }) => type === 'subscribe' && from === 'juliet@localhost',
      );
      await romeo.accept('juliet@localhost');
      await juliet.presences.next(
        'the presence of Romeo',
        ({ type, from }) => type === 'available' && from === romeo.jid,
      );
      assert.deepEqual(await juliet.roster(), [{ jid: 'romeo@localhost', subscription: 'both' }]);
      await leave(juliet);
      await romeo.presences.next('that Juliet left', ({ type, from }) => type === 'unavailable' && from === juliet.jid);
    });

    it('they chat both ways, with all characters', async () => {
      const romeo = await enter('romeo', 'garden');
      const juliet = await enter('juliet', 'balcony');
      await romeo.say('juliet@localhost', 'But <soft>, what light & "window" breaks? 🌹 é ]]&gt;');
      const heard = await juliet.messages.next('from Romeo', ({ body }) => body !== '');
      assert.deepEqual(heard, {
        from: romeo.jid,
        body: 'But <soft>, what light & "window" breaks? 🌹 é ]]&gt;',
        delayed: false,
      });
      await juliet.say(heard.from, 'Ay me!');
      assert.deepEqual(await romeo.messages.next('from Juliet', ({ body }) => body !== ''), {
        from: juliet.jid,
        body: 'Ay me!',
        delayed: false,
      });
      for (let line = 1; line <= 50; line++) await romeo.say(juliet.jid, `line ${line}`);
      for (let line = 1; line <= 50; line++)
        assert.equal((await juliet.messages.next('from Romeo', ({ body }) => body !== '')).body, `line ${line}`);
    });

    it('what is said to somebody absent waits for the next login, once and in order', async () => {
      const romeo = await enter('romeo', 'garden');
      await romeo.say('juliet@localhost', 'Wilt thou leave me?');
      await romeo.say('juliet@localhost', 'So unsatisfied?');
      await romeo.say('romeo@localhost', 'said after both');
      await romeo.messages.next('his own', ({ body }) => body === 'said after both');
      let juliet = await enter('juliet', 'balcony');
      const first = await juliet.messages.next('of before', ({ body }) => body !== '');
      assert.deepEqual(first, { from: romeo.jid, body: 'Wilt thou leave me?', delayed: true });
      assert.equal((await juliet.messages.next('of before', ({ body }) => body !== '')).body, 'So unsatisfied?');
      await leave(juliet);
      juliet = await enter('juliet', 'balcony');
      await romeo.say('juliet@localhost', 'Good night');
      assert.equal((await juliet.messages.next('of now', ({ body }) => body !== '')).body, 'Good night');
    });

    it('the other client of Romeo gets carbons of what he says and hears', async () => {
      const garden = await enter('romeo', 'garden');
      const pocket = await enter('romeo', 'pocket');
      const juliet = await enter('juliet', 'balcony');
      await pocket.carbons();
      await garden.say(juliet.jid, 'I take thee at thy word');
      assert.equal((await juliet.messages.next('from Romeo', ({ body }) => body !== '')).from, garden.jid);
      const sent = await pocket.messages.next('the carbon of what was sent', ({ body }) => body !== '');
      assert.deepEqual(sent, { from: garden.jid, body: 'I take thee at thy word', delayed: false, carbon: 'sent' });
      await juliet.say(garden.jid, 'What man art thou?');
      assert.equal((await garden.messages.next('from Juliet', ({ body }) => body !== '')).carbon, undefined);
      const received = await pocket.messages.next('the carbon of what was received', ({ body }) => body !== '');
      assert.deepEqual(received, { from: juliet.jid, body: 'What man art thou?', delayed: false, carbon: 'received' });
    });

    if (!lacks.resumption) {
      it('a session whose connection was cut is resumed, and nothing is lost or doubled', async () => {
        const romeo = await enter('romeo', 'tunnel', { port: cable.port });
        const juliet = await enter('juliet', 'balcony');
        assert(romeo.resumed);
        const { jid } = romeo;
        await juliet.say(romeo.jid, 'before');
        await romeo.messages.next('of before', ({ body }) => body === 'before');
        const resumed = romeo.resumed();
        cable.cut();
        await juliet.say(romeo.jid, 'in the tunnel');
        await resumed;
        assert.equal(romeo.jid, jid);
        await romeo.messages.next('of the tunnel', ({ body }) => body === 'in the tunnel');
        await juliet.say(romeo.jid, 'after');
        await romeo.messages.next('of after', ({ body }) => body === 'after');
        await romeo.say(juliet.jid, 'I heard you');
        await juliet.messages.next('from Romeo', ({ body }) => body === 'I heard you');
        assert.deepEqual(romeo.messages.rest, []);
        assert(!juliet.presences.rest.some(({ type, from }) => type === 'unavailable' && from === romeo.jid));
      });
    }
  });
}
