import assert from 'node:assert/strict';
import type { SessionView } from '../../bus/index.ts';
import { Slots } from './slots.ts';

function trial() {
  const sessions = [{ slots: [] }, { slots: [] }] as unknown as [SessionView, SessionView];
  return { slots: new Slots(() => sessions), sessions };
}

describe('Slots', () => {
  it('begin with what init gives, once a session', () => {
    const { slots, sessions } = trial();
    const { slot } = slots.take('a', () => ({ n: 0 }));
    slot.get(sessions[0]).n++;
    assert.equal(slot.get(sessions[0]).n, 1);
    assert.equal(slot.get(sessions[1]).n, 0);
  });

  it('keep whatever is set, undefined, null and false too', () => {
    const { slots, sessions } = trial();
    const { slot } = slots.take<unknown>('a', () => 'new');
    for (const value of [undefined, null, false, 0, '']) {
      slot.set(sessions[0], value);
      assert.equal(slot.get(sessions[0]), value);
    }
  });

  it('are cleared when they are given back, and used again', () => {
    const { slots, sessions } = trial();
    const a = slots.take('a', () => 'a');
    const b = slots.take('b', () => 'b');
    a.slot.get(sessions[0]);
    b.slot.get(sessions[0]);
    a.give();
    assert.deepEqual(slots.owners, ['b']);
    assert.equal(slots.leftovers, 0);
    const c = slots.take('c', () => 'c');
    assert.equal(c.slot.get(sessions[0]), 'c');
    assert.equal(b.slot.get(sessions[0]), 'b');
    assert.equal(sessions[0].slots.length, 2);
  });

  it('are out of reach for whom they belonged to', () => {
    const { slots, sessions } = trial();
    const a = slots.take('a', () => 'a');
    a.give();
    a.give();
    const b = slots.take('b', () => 'b');
    const c = slots.take('c', () => 'c');
    a.slot.set(sessions[0], 'mine');
    assert.equal(a.slot.get(sessions[0]), 'a');
    assert.equal(b.slot.get(sessions[0]), 'b');
    assert.equal(c.slot.get(sessions[0]), 'c');
  });

  it('wait, with what is in them, for the next version of a module that is exchanged', () => {
    const { slots, sessions } = trial();
    const [first, second] = [slots.take('a', () => 'first'), slots.take('a', () => 'second')];
    const other = slots.take('b', () => 'other');
    first.slot.set(sessions[0], 'one');
    second.slot.set(sessions[0], 'two');
    slots.keepFor(['a']);
    second.give();
    first.give();
    other.give();
    const stranger = slots.take('c', () => 'stranger');
    assert.equal(stranger.slot.get(sessions[0]), 'stranger');
    const again = slots.take('a', () => 'new');
    assert.equal(again.slot.get(sessions[0]), 'one');
    assert.equal(again.slot.get(sessions[1]), 'new');
    first.slot.set(sessions[0], 'late');
    assert.equal(again.slot.get(sessions[0]), 'one');
    slots.settle();
    assert.equal(slots.leftovers, 0);
    // its second place is anybody's now, and empty
    assert.equal(slots.take('d', () => 'empty').slot.get(sessions[0]), 'empty');
    assert.equal(sessions[0].slots.length, 3);
  });

  it("tell of values that are nobody's", () => {
    const { slots, sessions } = trial();
    sessions[1].slots[3] = 'whose?';
    assert.equal(slots.leftovers, 1);
  });
});
