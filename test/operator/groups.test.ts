import assert from 'node:assert/strict';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { TestClient } from '../kit/client.ts';
import { until } from '../kit/wait.ts';
import { command, found, refusal, SERVICE } from '../plays/groups.ts';
import { admin, configure, ok } from '../plays/rooms.ts';
import { Operated } from './program.ts';

describe('an operator says how many groups an account may found', function () {
  this.timeout(60_000);
  let node: Operated;
  before(async () => {
    node = await Operated.start('modules: { rooms: {}, groups: { perUser: 1 } }\n');
    await node.add('romeo');
  });
  after(() => node.remove());

  it('more, as everybody again, and what there is', async () => {
    const romeo = await node.login('romeo@localhost/orchard');
    await found(romeo, 'Verona');
    const allow = (...args: string[]) => node.done(['group', 'allow', 'romeo@localhost', ...args]);
    assert.equal(await allow(), 'romeo@localhost may found 1 groups (as for everybody), and has 1.\n');
    assert.equal(await allow('2'), 'romeo@localhost may found 2 groups (its own number), and has 1.\n');
    await found(romeo, 'Mantua');
    const third = await command(romeo, SERVICE, 'found', { name: 'Padua' });
    assert.equal(refusal(third), 'resource-constraint cancel groups-used-up');
    assert.equal(await allow('default'), 'romeo@localhost may found 1 groups (as for everybody), and has 2.\n');
    const { most } = JSON.parse(await allow('--json')) as { most: number };
    assert.equal(most, 1);
  });

  it('with errors that say what is wrong', async () => {
    const told = async (...args: string[]) => {
      const { code, err } = await node.command(['group', 'allow', ...args]);
      assert.equal(code, 1);
      return err;
    };
    assert.match(await told('nobody@localhost'), /There is no account nobody@localhost/);
    assert.match(await told('romeo@localhost', 'many'), /A number from 0 to 1000000, or 'default'/);
    assert.match(await told('localhost'), /This is no account/);
    await node.done(['module', 'unload', 'groups']);
    assert.match(await told('romeo@localhost'), /the module 'groups' is off|module load groups/);
  });
});

describe('bookmarks of members after a kill', function () {
  this.timeout(60_000);
  const BOOKMARKS = 'urn:xmpp:bookmarks:1';
  const PUBSUB = 'http://jabber.org/protocol/pubsub';
  const members = Array.from({ length: 40 }, (_, i) => `witch${i}`);
  let node: Operated;
  before(async () => {
    node = await Operated.start('modules: { rooms: {}, groups: {} }\n');
    await node.add('romeo', ...members);
  });
  after(() => node.remove());

  const names = async (client: TestClient): Promise<string> => {
    const iq = await client.iq('get', `<pubsub xmlns='${PUBSUB}'><items node='${BOOKMARKS}'/></pubsub>`);
    const items = iq.getChild('pubsub', PUBSUB)?.getChild('items')?.getChildren('item') ?? [];
    return items.map(item => item.getChild('conference', BOOKMARKS)!.attrs.name).join();
  };
  /** The program is killed as soon as the answer is there. */
  const killedBehind = async (answer: Promise<unknown>): Promise<void> => {
    await answer;
    await node.kill();
  };
  const open = (): Database.Database => new Database(path.join(node.data, 'posthouse.sqlite'));
  const notes = (): number => {
    const db = open();
    const { there } = db.prepare('select count(*) as there from group_bookmarks_due').get() as { there: number };
    db.close();
    return there;
  };
  /** All members see these, and nothing is left to do. */
  const see = async (expected: string): Promise<void> => {
    const some = await Promise.all(members.map(name => node.login(`${name}@localhost/home`)));
    await until(
      async () => (await Promise.all(some.map(names))).every(list => list === expected),
      `all bookmarks to be '${expected}'`,
    );
    for (const client of some) client.destroy();
    await until(() => notes() === 0, 'the notes to be gone');
  };
  const items = (affiliation: string): string =>
    members.map(name => `<item affiliation='${affiliation}' jid='${name}@localhost'/>`).join('');

  it('are written at the next start, renamed, and taken away', async () => {
    let romeo = await node.login('romeo@localhost/orchard');
    const { jid } = await found(romeo, 'Verona');
    await killedBehind(admin(romeo, 'set', items('member'), jid).then(ok));
    await node.start();
    await see('Verona');
    romeo = await node.login('romeo@localhost/orchard');
    await killedBehind(configure(romeo, { 'muc#roomconfig_roomname': 'Mantua' }, jid));
    await node.start();
    await see('Mantua');
    romeo = await node.login('romeo@localhost/orchard');
    await killedBehind(command(romeo, jid, 'dissolve'));
    await node.start();
    await see('');
  });

  it('also those of which nothing was written yet', async () => {
    let romeo = await node.login('romeo@localhost/orchard');
    const { jid } = await found(romeo, 'Verona');
    await until(async () => (await names(romeo)) === 'Verona' && notes() === 0, 'his own');
    await node.kill();
    // as it is where the program ends right behind the commit
    const db = open();
    const room = db.prepare('select id from rooms where jid = ?').get(jid) as { id: number };
    const add = db.prepare(
      `insert into room_affiliations (room, jid_key, jid, affiliation, since) values (?, ?, ?, 'member', ?)`,
    );
    for (const name of members) add.run(room.id, `${name}@localhost`, `${name}@localhost`, Date.now());
    const accounts = JSON.stringify(members.map(name => `${name}@localhost`));
    db.prepare('insert into group_bookmarks_due (jid, accounts) values (?, ?)').run(jid, accounts);
    db.close();
    await node.start();
    await see('Verona');
    romeo = await node.login('romeo@localhost/orchard');
    assert.equal(await names(romeo), 'Verona');
  });
});
