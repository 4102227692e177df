import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { isPush, itemsOf, ROSTER, rosterOf } from './people.ts';

const STATES = ['none', 'none+out', 'none+in', 'none+out+in', 'to', 'to+in', 'from', 'from+out', 'both'] as const;
const TYPES = ['subscribe', 'unsubscribe', 'subscribed', 'unsubscribed'] as const;
type State = (typeof STATES)[number];
type Type = (typeof TYPES)[number];

/** Whether the stanza is passed on, and the state after it, for each of the nine states. */
type Table = Record<Type, readonly (readonly [passed: boolean, after: State])[]>;

/* RFC 6121 A.2: tables 2 to 5. */
const OUTBOUND: Table = {
  subscribe: [
    [true, 'none+out'],
    [true, 'none+out'],
    [true, 'none+out+in'],
    [true, 'none+out+in'],
    [true, 'to'],
    [true, 'to+in'],
    [true, 'from+out'],
    [true, 'from+out'],
    [true, 'both'],
  ],
  unsubscribe: [
    [true, 'none'],
    [true, 'none'],
    [true, 'none+in'],
    [true, 'none+in'],
    [true, 'none'],
    [true, 'none+in'],
    [true, 'from'],
    [true, 'from'],
    [true, 'from'],
  ],
  subscribed: [
    [false, 'none'],
    [false, 'none+out'],
    [true, 'from'],
    [true, 'from+out'],
    [false, 'to'],
    [true, 'both'],
    [false, 'from'],
    [false, 'from+out'],
    [false, 'both'],
  ],
  unsubscribed: [
    [false, 'none'],
    [false, 'none+out'],
    [true, 'none'],
    [true, 'none+out'],
    [false, 'to'],
    [true, 'to'],
    [true, 'none'],
    [true, 'none+out'],
    [true, 'to'],
  ],
};

/* RFC 6121 A.3: tables 6 to 9. */
const INBOUND: Table = {
  subscribe: [
    [true, 'none+in'],
    [true, 'none+out+in'],
    [false, 'none+in'],
    [false, 'none+out+in'],
    [true, 'to+in'],
    [false, 'to+in'],
    [false, 'from'],
    [false, 'from+out'],
    [false, 'both'],
  ],
  unsubscribe: [
    [false, 'none'],
    [false, 'none+out'],
    [true, 'none'],
    [true, 'none+out'],
    [false, 'to'],
    [true, 'to'],
    [true, 'none'],
    [true, 'none+out'],
    [true, 'to'],
  ],
  subscribed: [
    [false, 'none'],
    [true, 'to'],
    [false, 'none+in'],
    [true, 'to+in'],
    [false, 'to'],
    [false, 'to+in'],
    [false, 'from'],
    [true, 'both'],
    [false, 'both'],
  ],
  unsubscribed: [
    [false, 'none'],
    [true, 'none'],
    [false, 'none+in'],
    [true, 'none+in'],
    [true, 'none'],
    [true, 'none+in'],
    [false, 'from'],
    [true, 'from'],
    [true, 'from'],
  ],
};

describe('play: subscription states (RFC 6121 A)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let elsewhere: Elsewhere;
  before(async () => {
    server = await TestNode.start({ users: ['juliet'], yaml: ELSEWHERE });
    elsewhere = await Elsewhere.open(server);
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await juliet.iq('get', ROSTER);
  });
  after(() => {
    elsewhere.close();
    return server.stop();
  });

  /** All that both sides said has been handled. */
  async function quiet() {
    const there = await elsewhere.settle();
    const here = await juliet.settle();
    return { there: [...there, ...(await elsewhere.settle())], here };
  }

  const says = (name: string, type: Type): void =>
    elsewhere.send(`<presence from='${elsewhere.address(name)}' to='juliet@localhost' type='${type}'/>`);
  const answers = (name: string, type: Type): void =>
    juliet.send(`<presence to='${elsewhere.address(name)}' type='${type}'/>`);

  /** Brings a contact for each state into it. The name of each is the prefix and the state. */
  async function cast(prefix: string): Promise<void> {
    const names = (test: RegExp): string[] => STATES.filter(state => test.test(state)).map(state => prefix + state);
    for (const name of names(/from|both/)) says(name, 'subscribe');
    await quiet();
    for (const name of names(/from|both/)) answers(name, 'subscribed');
    for (const name of names(/out|to|both/)) answers(name, 'subscribe');
    await quiet();
    for (const name of names(/^to|both/)) says(name, 'subscribed');
    for (const name of names(/in/)) says(name, 'subscribe');
    await quiet();
    const states = await statesNow();
    for (const state of STATES) assert.equal(states(prefix + state), state);
  }

  /** The state of each contact, from the roster and from the list of requests. */
  async function statesNow(): Promise<(name: string) => string> {
    const roster = await rosterOf(juliet);
    const list = await juliet.iq('get', "<requests xmlns='urn:posthouse:friend-requests:0'/>");
    const pending = new Set(
      list
        .getChild('requests')!
        .getChildren('request')
        .map(request => request.attrs.jid),
    );
    return name => {
      const jid = elsewhere.address(name);
      const item = roster.get(jid);
      return `${item?.subscription ?? 'none'}${item?.ask ? '+out' : ''}${pending.has(jid) ? '+in' : ''}`;
    };
  }

  for (const type of TYPES) {
    it(`outbound ${type}, in each state: passed on or not, and what becomes of it (A.2)`, async () => {
      const prefix = `${type}-out-`;
      await cast(prefix);
      for (const state of STATES) answers(prefix + state, type);
      const { there, here } = await quiet();
      const states = await statesNow();
      for (const [index, state] of STATES.entries()) {
        const jid = elsewhere.address(prefix + state);
        const [passed, after] = OUTBOUND[type][index]!;
        const sent = there.filter(stanza => stanza.attrs.to === jid && stanza.attrs.type === type);
        assert.equal(sent.length, passed ? 1 : 0, `${state}: passed on`);
        // from the bare address to the bare address (3)
        for (const stanza of sent) assert.equal(stanza.attrs.from, 'juliet@localhost');
        assert.equal(states(prefix + state), after, `${state}: after it`);
        const pushes = here.filter(isPush).filter(stanza => itemsOf(stanza)[0]!.jid === jid);
        const approved = type === 'subscribed' && /^(none|none\+out|to)$/.test(state);
        const changed = after.replace('+in', '') !== state.replace('+in', '');
        assert.equal(pushes.length, changed || approved ? 1 : 0, `${state}: pushes`);
        if (approved) assert.equal(itemsOf(pushes[0]!)[0]!.approved, 'true', `${state}: approved in advance`);
        // 3.1.5, 3.2.2: presence goes with what it means
        const seen = there.filter(({ attrs }) => attrs.to === jid && attrs.from === 'juliet@localhost/balcony');
        const shown = type === 'subscribed' && passed ? 'available' : undefined;
        const hidden = type === 'unsubscribed' && /from|both/.test(state) ? 'unavailable' : undefined;
        assert.deepEqual(
          seen.map(({ attrs }) => attrs.type ?? 'available'),
          [shown ?? hidden].filter(Boolean),
          `${state}: presence`,
        );
        if (hidden) assert.ok(there.indexOf(seen[0]!) < there.indexOf(sent[0]!), `${state}: unavailable comes first`);
        if (shown) assert.ok(there.indexOf(sent[0]!) < there.indexOf(seen[0]!), `${state}: presence comes after`);
      }
    });

    it(`inbound ${type}, in each state: delivered or not, answered or not, and what becomes of it (A.3)`, async () => {
      const prefix = `${type}-in-`;
      await cast(prefix);
      for (const state of STATES) says(prefix + state, type);
      const { there, here } = await quiet();
      const states = await statesNow();
      for (const [index, state] of STATES.entries()) {
        const jid = elsewhere.address(prefix + state);
        const [delivered, after] = INBOUND[type][index]!;
        const came = here.filter(({ name, attrs }) => name === 'presence' && attrs.from === jid);
        assert.deepEqual(
          came.map(({ attrs }) => attrs.type),
          delivered ? [type] : [],
          `${state}: delivered`,
        );
        assert.equal(states(prefix + state), after, `${state}: after it`);
        const pushes = here.filter(isPush).filter(stanza => itemsOf(stanza)[0]!.jid === jid);
        const changed = after.replace('+in', '') !== state.replace('+in', '');
        assert.equal(pushes.length, changed ? 1 : 0, `${state}: pushes`);
        // 3.1.6, 3.2.3, 3.3.3
        if (changed)
          assert.ok(here.indexOf(came[0]!) < here.indexOf(pushes[0]!), `${state}: the stanza before the push`);
        // notes [2] of table 6, [1] of table 7
        const granted = type === 'subscribe' && /from|both/.test(state);
        const replies = there.filter(({ attrs }) => attrs.to === jid && attrs.from === 'juliet@localhost');
        assert.deepEqual(
          replies.map(({ attrs }) => attrs.type),
          granted ? ['subscribed'] : type === 'unsubscribe' && delivered ? ['unsubscribed'] : [],
          `${state}: answers`,
        );
        const seen = there.filter(({ attrs }) => attrs.to === jid && attrs.from === 'juliet@localhost/balcony');
        const hidden = type === 'unsubscribe' && /from|both/.test(state);
        assert.deepEqual(
          seen.map(stanza => stanza.attrs.type),
          granted ? [undefined] : hidden ? ['unavailable'] : [],
          `${state}: presence`,
        );
      }
    });
  }

  it('for a resource that is not there, requests are for the account, the other three are ignored (8.5.3.2.2)', async () => {
    const prefix = 'nowhere-';
    await cast(prefix);
    const before = await statesNow();
    const to = 'juliet@localhost/nowhere';
    const ask = (name: string, type: Type): void =>
      elsewhere.send(`<presence from='${elsewhere.address(name)}/x' to='${to}' type='${type}'/>`);
    ask(`${prefix}none+out`, 'subscribed');
    ask(`${prefix}both`, 'unsubscribed');
    ask(`${prefix}both`, 'unsubscribe');
    ask(`${prefix}none`, 'subscribe');
    const { here, there } = await quiet();
    const came = here.filter(({ name }) => name === 'presence');
    assert.deepEqual(
      came.map(({ attrs }) => [attrs.type, attrs.from, attrs.to]),
      [['subscribe', elsewhere.address(`${prefix}none`), 'juliet@localhost']],
    );
    assert.deepEqual(there, []);
    const after = await statesNow();
    for (const state of ['none+out', 'both']) assert.equal(after(prefix + state), before(prefix + state));
    // a resource that is there stands for its account
    elsewhere.send(
      `<presence from='${elsewhere.address(`${prefix}none+out`)}/x' to='${juliet.jid}' type='subscribed'/>`,
    );
    await quiet();
    assert.equal((await statesNow())(`${prefix}none+out`), 'to');
  });

  it('a request that was approved in advance is granted at once, in each state that can be (3.4.2)', async () => {
    const prefix = 'approved-';
    await cast(prefix);
    const open = ['none', 'none+out', 'to'] as const;
    for (const state of open) answers(prefix + state, 'subscribed');
    await quiet();
    for (const state of open) says(prefix + state, 'subscribe');
    const { there, here } = await quiet();
    const roster = await rosterOf(juliet);
    for (const [state, after, ask] of [
      ['none', 'from', undefined],
      ['none+out', 'from', 'subscribe'],
      ['to', 'both', undefined],
    ] as const) {
      const jid = elsewhere.address(prefix + state);
      assert.deepEqual(
        there.filter(({ attrs }) => attrs.to === jid).map(({ attrs }) => [attrs.from, attrs.type]),
        [
          ['juliet@localhost', 'subscribed'],
          ['juliet@localhost/balcony', undefined],
        ],
      );
      // not delivered
      assert.ok(!here.some(({ name, attrs }) => name === 'presence' && attrs.from === jid));
      const item = roster.get(jid)!;
      assert.deepEqual([item.subscription, item.ask], [after, ask]);
    }
  });
});
