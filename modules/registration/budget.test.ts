import assert from 'node:assert/strict';
import { Budget } from './budget.ts';

describe('Budget', () => {
  const HOUR = 3_600_000;
  const trial = () => {
    const clock = { now: 1_000_000 };
    return { clock, budget: new Budget(HOUR, () => clock.now) };
  };

  it('is so much within a time, for each address', () => {
    const { clock, budget } = trial();
    const spend = (address: string) => budget.spend(address, 2);
    assert.deepEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map(spend), [true, true, false, true]);
    clock.now += HOUR / 2;
    assert.equal(spend('192.0.2.1'), false);
    clock.now += HOUR / 2 + 1;
    // what was refused was not counted
    assert.deepEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1'].map(spend), [true, true, false]);
  });

  it('is given back when it led to nothing', () => {
    const { budget } = trial();
    assert.equal(budget.spend('192.0.2.1', 1), true);
    budget.giveBack('192.0.2.1');
    budget.giveBack('192.0.2.1');
    assert.deepEqual([budget.spend('192.0.2.1', 1), budget.spend('192.0.2.1', 1)], [true, false]);
  });

  it('is one for all addresses of an IPv6 network, and for IPv4 however it is written', () => {
    const { budget } = trial();
    assert.equal(budget.spend('2001:db8:1:2::1', 1), true);
    assert.equal(budget.spend('2001:db8:1:2:ffff::9', 1), false);
    assert.equal(budget.spend('2001:db8:1:3::1', 1), true);
    assert.equal(budget.spend('192.0.2.1', 1), true);
    assert.equal(budget.spend('::ffff:192.0.2.1', 1), false);
  });

  it('goes on counting after it has forgotten those whose time is over', () => {
    const { clock, budget } = trial();
    budget.spend('192.0.2.1', 1);
    clock.now += HOUR - 1;
    budget.spend('192.0.2.2', 1);
    budget.forget();
    assert.equal(budget.spend('192.0.2.1', 1), false);
    clock.now += 2;
    budget.forget();
    assert.deepEqual([budget.spend('192.0.2.1', 1), budget.spend('192.0.2.2', 1)], [true, false]);
  });
});
