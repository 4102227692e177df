import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { RosterItem, Subscription } from '../roster/contract.ts';
import { type Change, inbound, itemOf, outbound, type State, type SubscriptionType } from './states.ts';

/* The nine states of RFC 6121 A.1. */
const STATES = {
  none: ['none', false, false],
  'none+out': ['none', true, false],
  'none+in': ['none', false, true],
  'none+out+in': ['none', true, true],
  to: ['to', false, false],
  'to+in': ['to', false, true],
  from: ['from', false, false],
  'from+out': ['from', true, false],
  both: ['both', false, false],
} as const satisfies Record<string, [Subscription, boolean, boolean]>;
type Name = keyof typeof STATES;

/** The state before, whether the stanza passes, and the state after; '=' for none other. */
type Row = readonly [before: Name, pass: boolean, after: Name | '='];

/* RFC 6121 A.2: tables 2 to 5. */
const OUTBOUND: Record<SubscriptionType, readonly Row[]> = {
  subscribe: [
    ['none', true, 'none+out'],
    ['none+out', true, '='],
    ['none+in', true, 'none+out+in'],
    ['none+out+in', true, '='],
    ['to', true, '='],
    ['to+in', true, '='],
    ['from', true, 'from+out'],
    ['from+out', true, '='],
    ['both', true, '='],
  ],
  unsubscribe: [
    ['none', true, '='],
    ['none+out', true, 'none'],
    ['none+in', true, '='],
    ['none+out+in', true, 'none+in'],
    ['to', true, 'none'],
    ['to+in', true, 'none+in'],
    ['from', true, '='],
    ['from+out', true, 'from'],
    ['both', true, 'from'],
  ],
  subscribed: [
    ['none', false, '='],
    ['none+out', false, '='],
    ['none+in', true, 'from'],
    ['none+out+in', true, 'from+out'],
    ['to', false, '='],
    ['to+in', true, 'both'],
    ['from', false, '='],
    ['from+out', false, '='],
    ['both', false, '='],
  ],
  unsubscribed: [
    ['none', false, '='],
    ['none+out', false, '='],
    ['none+in', true, 'none'],
    ['none+out+in', true, 'none+out'],
    ['to', false, '='],
    ['to+in', true, 'to'],
    ['from', true, 'none'],
    ['from+out', true, 'none+out'],
    ['both', true, 'to'],
  ],
};

/* RFC 6121 A.3: tables 6 to 9. */
const INBOUND: Record<SubscriptionType, readonly Row[]> = {
  subscribe: [
    ['none', true, 'none+in'],
    ['none+out', true, 'none+out+in'],
    ['none+in', false, '='],
    ['none+out+in', false, '='],
    ['to', true, 'to+in'],
    ['to+in', false, '='],
    ['from', false, '='],
    ['from+out', false, '='],
    ['both', false, '='],
  ],
  unsubscribe: [
    ['none', false, '='],
    ['none+out', false, '='],
    ['none+in', true, 'none'],
    ['none+out+in', true, 'none+out'],
    ['to', false, '='],
    ['to+in', true, 'to'],
    ['from', true, 'none'],
    ['from+out', true, 'none+out'],
    ['both', true, 'to'],
  ],
  subscribed: [
    ['none', false, '='],
    ['none+out', true, 'to'],
    ['none+in', false, '='],
    ['none+out+in', true, 'to+in'],
    ['to', false, '='],
    ['to+in', false, '='],
    ['from', false, '='],
    ['from+out', true, 'both'],
    ['both', false, '='],
  ],
  unsubscribed: [
    ['none', false, '='],
    ['none+out', true, 'none'],
    ['none+in', false, '='],
    ['none+out+in', true, 'none+in'],
    ['to', true, 'none'],
    ['to+in', true, 'none+in'],
    ['from', false, '='],
    ['from+out', true, 'from'],
    ['both', true, 'from'],
  ],
};

function state(name: Name, approved = false): State {
  const [subscription, pendingOut, pendingIn] = STATES[name];
  return { subscription, pendingOut, pendingIn, approved };
}

function nameOf({ subscription, pendingOut, pendingIn }: State): string {
  const found = Object.entries(STATES).find(
    ([, [s, out, into]]) => s === subscription && out === pendingOut && into === pendingIn,
  );
  return found?.[0] ?? `none of the nine: ${subscription} ${pendingOut} ${pendingIn}`;
}

const hasFrom = (name: Name): boolean => name === 'from' || name === 'from+out' || name === 'both';
/** A.2.3 and 3.4: where nothing was asked and nothing granted, 'subscribed' approves in advance. */
const approves = (name: Name): boolean => name === 'none' || name === 'none+out' || name === 'to';

function check(
  tables: Record<SubscriptionType, readonly Row[]>,
  step: (state: State, type: SubscriptionType) => Change,
  more: (type: SubscriptionType, before: Name, change: Change, row: Row) => void,
) {
  for (const [type, rows] of Object.entries(tables) as [SubscriptionType, readonly Row[]][]) {
    assert.deepEqual(
      rows.map(([before]) => before),
      Object.keys(STATES),
    );
    for (const row of rows) {
      const [before, pass, after] = row;
      it(`${type} in ${before}: ${pass ? 'passes' : 'stays'}, ${after === '=' ? 'nothing changes' : after}`, () => {
        const change = step(state(before), type);
        assert.equal(nameOf(change.state), after === '=' ? before : after);
        assert.equal(change.pass, pass);
        more(type, before, change, row);
      });
    }
  }
}

describe('subscription states (RFC 6121 A)', () => {
  describe('outbound (A.2)', () => {
    check(OUTBOUND, outbound, (type, before, change) => {
      assert.equal(change.reply, undefined);
      assert.equal(change.state.approved, type === 'subscribed' && approves(before));
    });
  });

  describe('inbound (A.3)', () => {
    check(INBOUND, inbound, (type, before, change, [, pass]) => {
      // notes [2] of table 6 and [1] of table 7
      const reply =
        type === 'subscribe' && hasFrom(before)
          ? 'subscribed'
          : type === 'unsubscribe' && pass
            ? 'unsubscribed'
            : undefined;
      assert.equal(change.reply, reply);
      assert.equal(change.state.approved, false);
    });
  });

  describe('pre-approval (3.4)', () => {
    for (const [before, after] of [
      ['none', 'from'],
      ['none+out', 'from+out'],
      ['to', 'both'],
    ] as const) {
      it(`a request in ${before} is granted at once`, () => {
        const change = inbound(state(before, true), 'subscribe');
        assert.deepEqual([nameOf(change.state), change.pass, change.reply], [after, false, 'subscribed']);
        // it holds until it is taken back (3.4.2)
        assert.equal(change.state.approved, true);
      });
    }

    for (const before of ['none', 'none+out', 'to', 'from', 'both'] as const) {
      it(`'unsubscribed' in ${before} takes it back`, () => {
        const change = outbound(state(before, true), 'unsubscribed');
        assert.equal(change.state.approved, false);
        assert.equal(change.pass, hasFrom(before));
      });
    }
  });

  describe('roster items', () => {
    const address = parseJid('juliet@example.org')!;
    const blank: RosterItem = {
      jid: address.full,
      address,
      name: undefined,
      subscription: 'none',
      ask: false,
      approved: false,
      groups: [],
    };

    it('a request of the contact alone makes none (3.1.3)', () => {
      assert.equal(itemOf(state('none+in'), undefined, blank), undefined);
    });

    it('a request of ours, a subscription, a pre-approval make one', () => {
      assert.deepEqual(itemOf(state('none+out'), undefined, blank), { ...blank, ask: true });
      assert.deepEqual(itemOf(state('both'), undefined, blank), { ...blank, subscription: 'both' });
      assert.deepEqual(itemOf(state('none', true), undefined, blank), { ...blank, approved: true });
    });

    it('a subscription that ends leaves the contact, its name and groups', () => {
      const item = { ...blank, name: 'Juliet', groups: ['Lovers'], subscription: 'both' as const };
      assert.deepEqual(itemOf(state('none'), item, blank), { ...item, subscription: 'none' });
    });

    it('what does not change stays the same object', () => {
      const item = { ...blank, subscription: 'to' as const };
      assert.equal(itemOf(state('to+in'), item, blank), item);
    });
  });
});
