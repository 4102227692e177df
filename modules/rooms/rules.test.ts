import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';
import { DEFAULTS } from './config.ts';
import { newConfig, refusedMaking, ruleOptions, ruleProblem, type Rules } from './rules.ts';

const HOST = 'shakespeare.lit';
const rules = Object.fromEntries(
  Object.entries(ruleOptions).map(([name, { default: value }]) => [name, value]),
) as unknown as Rules;
const anonymous = `ghost@${HOST}/x`;
const node = {
  hosts: new Set([HOST, 'verona.lit']),
  isAdmin: (jid: { full: string }) => jid.full === `hecate@${HOST}`,
  session: (jid: { full: string }) => ({ anonymous: jid.full === anonymous }) as never,
};

async function make(creator: string, change: Partial<Rules> = {}, room = 'coven', made = 0) {
  const jids = { creator: parseJid(creator)!, room: parseJid(`${room}@chat.${HOST}`)! };
  const error = await refusedMaking({ ...jids, host: HOST }, { ...rules, ...change }, node, { made: () => made });
  assert.ok(error === undefined || error instanceof StanzaError);
  return error?.condition;
}

describe('the rules for rooms', () => {
  it('XEP-0045 10.1.1: who may make one', async () => {
    const hecate = `hecate@${HOST}/broom`;
    const crone = `crone1@${HOST}/desktop`;
    const stranger = 'romeo@montague.net/home';
    for (const [create, allowed] of [
      ['everybody', [hecate, crone, 'nurse@verona.lit/x', anonymous, stranger]],
      ['accounts', [hecate, crone, 'nurse@verona.lit/x']],
      ['admins', [hecate]],
    ] as const)
      for (const creator of [hecate, crone, 'nurse@verona.lit/x', anonymous, stranger]) {
        const expected = (allowed as readonly string[]).includes(creator) ? undefined : 'not-allowed';
        assert.equal(await make(creator, { create }), expected, `${creator} with ${create}`);
      }
  });

  it('by what names', async () => {
    const names = 'team-[a-z]+|x';
    for (const [room, answer] of [
      ['team-a', undefined],
      ['x', undefined],
      ['team-a1', 'not-acceptable'],
      ['my-team-a', 'not-acceptable'],
      ['xx', 'not-acceptable'],
    ] as const)
      assert.equal(await make(`crone1@${HOST}/a`, { names }, room), answer, room);
    assert.equal(await make(`hecate@${HOST}/a`, { names }, 'any'), undefined);
    assert.equal(await make(`crone1@${HOST}/a`, {}, 'r'.repeat(192 - `@chat.${HOST}`.length)), 'not-acceptable');
    assert.equal(await make(`crone1@${HOST}/a`, {}, 'r'.repeat(191 - `@chat.${HOST}`.length)), undefined);
  });

  it('an expression that is none lets nobody make rooms, and says so', async () => {
    assert.equal(await make(`crone1@${HOST}/a`, { names: '(' }), 'not-acceptable');
    assert.match(ruleProblem({ ...rules, names: '(' })!, /no regular expression/);
    assert.equal(ruleProblem(rules), undefined);
  });

  it('how many', async () => {
    assert.equal(await make(`crone1@${HOST}/a`, { roomsPerUser: 3 }, 'coven', 2), undefined);
    assert.equal(await make(`crone1@${HOST}/a`, { roomsPerUser: 3 }, 'coven', 3), 'resource-constraint');
    assert.equal(await make(`crone1@${HOST}/a`, { roomsPerUser: 0 }, 'coven', 10_000), undefined);
    assert.equal(await make(`hecate@${HOST}/a`, { roomsPerUser: 3 }, 'coven', 3), undefined);
  });

  it('how a new room is', () => {
    assert.deepEqual(newConfig(rules), DEFAULTS);
    const defaults = { ...rules.defaults, anonymous: false, persistent: true, history: 50 };
    assert.deepEqual(newConfig({ ...rules, history: 30, defaults }), {
      ...DEFAULTS,
      whois: 'anyone',
      persistent: true,
      maxHistory: 30,
    });
  });
});
