import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { explain, timed } from '../kit/linearizable.ts';
import type { TestNode } from '../kit/node.ts';
import { affiliate, affiliated, command, found, GROUPS, noteOf, SERVICE, village } from './groups.ts';
import { admin, configure, enter, ok } from './rooms.ts';

const MANY = 16;
const people = Array.from({ length: MANY }, (_, i) => `p${i}`);

/** The conditions of an error, or 'done'. */
function outcome(answer: Element): string {
  if (answer.attrs.type === 'result') return 'done';
  const error = answer.getChild('error')!;
  return error.getChildElements().find(child => child.getNS() === GROUPS)?.name ?? error.getChildElements()[0]!.name;
}

describe('play: many at once in groups; what comes of it could have come of one after the other (R46)', function () {
  this.timeout(120_000);
  let stage: TestNode;
  let romeo: TestClient;
  const clients = new Map<string, TestClient>();
  const start = async (options: string): Promise<void> => {
    stage = await village(options, people);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    for (const name of people) clients.set(name, await stage.login(`${name}@localhost/x`));
  };
  afterEach(() => stage.stop());

  const register = (client: TestClient, room: string): Promise<Element> => {
    const nick = `<field var='muc#register_roomnick'><value>${client.jid.split('@')[0]}</value></field>`;
    return client.iq(
      'set',
      `<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>${nick}</x></query>`,
      room,
    );
  };

  it('founding at the quota, by commands and by configuration, with groups that end meanwhile', async () => {
    await start('{ perUser: 4 }');
    const sessions = await Promise.all([1, 2, 3].map(i => stage.login(`romeo@localhost/s${i}`, { presence: true })));
    const first = [await found(romeo, 'one'), await found(romeo, 'two')];
    const rooms = sessions.map((_, i) => `plain${i}@${SERVICE}`);
    for (const [i, client] of sessions.entries()) await enter(client, 'Romeo', { room: rooms[i]! });
    const persistent = { 'muc#roomconfig_persistentroom': '1' };
    const plain = async (client: TestClient, room: string): Promise<string> => {
      try {
        await configure(client, persistent, room);
        return 'done';
      } catch (error) {
        return /groups-used-up/.test(String(error)) ? 'groups-used-up' : String(error);
      }
    };
    const founding = sessions.flatMap((client, s) => [
      ...[1, 2, 3].map(i =>
        timed(async () => ({
          does: 'found',
          said: outcome(await command(client, SERVICE, 'found', { name: `${s}${i}` })),
        })),
      ),
      timed(async () => ({ does: 'found', said: await plain(client, rooms[s]!) })),
    ]);
    const ending = first.map(({ jid }) =>
      timed(async () => ({ does: 'end', said: outcome(await command(romeo, jid, 'dissolve')) })),
    );
    const all = await Promise.all([...founding, ...ending]);
    assert.deepEqual([...new Set(all.map(({ what }) => what.said))].toSorted(), ['done', 'groups-used-up']);
    const step = (there: number, { does, said }: { does: string; said: string }): number | undefined => {
      if (does === 'end') return said === 'done' ? there - 1 : undefined;
      if (said === 'done') return there < 4 ? there + 1 : undefined;
      return there === 4 ? there : undefined;
    };
    assert.ok(explain(all, 2, step), `no order explains ${JSON.stringify(all)}`);
    const founded = all.filter(({ what }) => what.does === 'found' && what.said === 'done').length;
    const more = [];
    for (let i = 0; i < 5; i++) more.push(outcome(await command(romeo, SERVICE, 'found', { name: `more${i}` })));
    assert.equal(more.filter(said => said === 'done').length, 4 - founded);
  });

  it('joining at the limit, while members leave', async () => {
    await start('{ size: 6 }');
    const { jid } = await found(romeo, 'Montague', { registration: 'open' });
    for (const name of people.slice(0, 3)) ok(await register(clients.get(name)!, jid));
    interface Act {
      readonly who: string;
      readonly does: 'join' | 'leave';
      readonly said: string;
    }
    const act = (who: string, does: Act['does']) =>
      timed(async (): Promise<Act> => {
        const client = clients.get(who)!;
        const answer = await (does === 'join' ? register(client, jid) : command(client, jid, 'leave'));
        return { who, does, said: outcome(answer) };
      });
    const all = await Promise.all([
      ...people.slice(3).map(who => act(who, 'join')),
      ...people.slice(0, 3).map(who => act(who, 'leave')),
    ]);
    assert.deepEqual([...new Set(all.map(({ what }) => what.said))].toSorted(), ['done', 'group-full']);
    const before = ['romeo', ...people.slice(0, 3)];
    const members = [...(await affiliated(romeo, jid, 'member')), 'romeo'].toSorted();
    const step = (inside: readonly string[], { who, does, said }: Act): readonly string[] | undefined => {
      if (does === 'leave') return said === 'done' ? inside.filter(name => name !== who) : undefined;
      if (said === 'done') return inside.length < 6 ? [...inside, who].toSorted() : undefined;
      return inside.length === 6 ? inside : undefined;
    };
    const order = explain(all, before.toSorted(), step, state => String(state) === String(members));
    assert.ok(order, `no order explains ${JSON.stringify(all)} and ${members.join()}`);
  });

  it('transferring, by all who might own it', async () => {
    await start('{}');
    const { jid } = await found(romeo, 'Montague');
    const five = people.slice(0, 5);
    for (const name of five) await affiliate(romeo, jid, name);
    clients.set('romeo', romeo);
    const names = ['romeo', ...five];
    interface Gift {
      readonly from: string;
      readonly to: string;
      readonly said: string;
    }
    const gifts = names.flatMap((from, i) =>
      [1, 2, 3].map(step => {
        const to = names[(i + step) % names.length]!;
        return timed(async (): Promise<Gift> => {
          const answer = await command(clients.get(from)!, jid, 'transfer', { to: `${to}@localhost` });
          return { from, to, said: outcome(answer) };
        });
      }),
    );
    const all = await Promise.all(gifts);
    assert.deepEqual([...new Set(all.map(({ what }) => what.said))].toSorted(), ['done', 'forbidden']);
    let owner = '';
    for (const name of names) {
      const answer = await admin(clients.get(name)!, 'get', `<item affiliation='owner'/>`, jid);
      const items = answer.getChild('query')?.getChildren('item') ?? [];
      if (items.length > 0) assert.equal(items.length, 1);
      owner = items[0]?.attrs.jid?.split('@')[0] ?? owner;
    }
    const order = explain(
      all,
      'romeo',
      (now, { from, to, said }) => (said === 'done' ? (from === now ? to : undefined) : from === now ? undefined : now),
      last => last === owner,
    );
    assert.ok(order, `no order explains ${JSON.stringify(all.map(({ what }) => what))}, and that it is ${owner}'s`);
  });

  it('ending a group while others join: who is in is told, and nobody joins one that is gone', async () => {
    await start('{}');
    const { jid } = await found(romeo, 'Montague', { registration: 'open' });
    const joins = people.map(who =>
      timed(async () => ({ who, said: outcome(await register(clients.get(who)!, jid)) })),
    );
    const end = timed(async () => ({ who: 'romeo', said: outcome(await command(romeo, jid, 'dissolve')) }));
    const all = [...(await Promise.all(joins)), await end];
    assert.deepEqual(
      [...new Set(all.map(({ what }) => what.said))].filter(said => !['done', 'item-not-found'].includes(said)),
      [],
    );
    const order = explain(all, true, (there, { who, said }) =>
      said === 'done' ? (there ? who !== 'romeo' : undefined) : there ? undefined : false,
    );
    assert.ok(order, `no order explains ${JSON.stringify(all.map(({ what }) => what))}`);
    for (const { what } of all.slice(0, -1)) {
      const client = clients.get(what.who)!;
      client.send('<presence/>');
      const isNotice = (stanza: Element) => stanza.getChild('dissolved', GROUPS) !== undefined;
      if (what.said === 'done') await client.expect(isNotice, `that it ended, for ${what.who}`);
      else assert.ok(!(await client.settle()).some(isNotice), `${what.who} never was in it`);
    }
    noteOf(await command(romeo, SERVICE, 'found', { name: 'Mantua' }));
  });
});
