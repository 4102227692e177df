import assert from 'node:assert/strict';
import { begin } from './mechanisms.ts';
import { networkOf } from '../../util/network.ts';
import { backend, bytes, context, fails, login } from './test-kit.ts';
import { LoginThrottle } from './throttle.ts';
import type { LoginThrottleOptions } from './throttle.ts';
import type { SaslStep } from './types.ts';

const minute = 60_000;
const owner = 'romeo@example.org';

function brake(changes: Partial<LoginThrottleOptions> = {}): { throttle: LoginThrottle; pass: (ms: number) => void } {
  let now = 1000;
  const throttle = new LoginThrottle({
    perAccount: { attempts: 5, window: 5 * minute },
    perAddress: { attempts: 20, window: 10 * minute },
    clock: () => now,
    ...changes,
  });
  return { throttle, pass: ms => void (now += ms) };
}

/** Fails `times` times; how many of the failures were told. */
function guess(throttle: LoginThrottle, address: string, account: string, times: number): number {
  let told = 0;
  for (let i = 0; i < times; i++) if (!throttle.failed(address, account).refused) told++;
  return told;
}

describe('LoginThrottle', () => {
  it('tells so many failures and refuses then, also the right password', () => {
    const { throttle } = brake();
    assert.equal(guess(throttle, '192.0.2.1', owner, 1000), 5);
    assert.equal(throttle.refuses('192.0.2.1', owner), true);
    assert.equal(throttle.succeeded('192.0.2.1', owner).refused, true);
  });

  it('lets one attempt more after its share of the window, all after the whole', () => {
    const { throttle, pass } = brake();
    guess(throttle, '192.0.2.1', owner, 5);
    pass(minute - 1);
    assert.equal(throttle.refuses('192.0.2.1', owner), true);
    pass(1);
    assert.equal(guess(throttle, '192.0.2.1', owner, 10), 1);
    pass(5 * minute);
    assert.equal(guess(throttle, '192.0.2.1', owner, 10), 5);
  });

  it('lets the owner in from elsewhere: at once from a known network, late from a new one', () => {
    const { throttle } = brake();
    throttle.succeeded('198.51.100.1', owner);
    for (let i = 0; i < 100; i++) guess(throttle, `192.0.2.${i}`, owner, 10);
    assert.deepEqual(throttle.succeeded('198.51.100.1', owner), { refused: false, delay: 0 });
    assert.deepEqual(throttle.succeeded('203.0.113.1', owner), { refused: false, delay: 4000 });
    assert.deepEqual(throttle.succeeded('203.0.113.1', owner), { refused: false, delay: 0 }, 'known by now');
    assert.deepEqual(
      throttle.succeeded('192.0.2.1', 'juliet@example.org'),
      { refused: false, delay: 0 },
      'another account',
    );
  });

  it('delays longer with each failure, whatever the outcome, and forgets in bounded time', () => {
    const { throttle, pass } = brake();
    guess(throttle, '192.0.2.1', owner, 5);
    const delays = [2, 3, 4, 5, 6, 7].map(i => throttle.failed(`192.0.2.${i}`, owner).delay);
    assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 4000]);
    for (let i = 0; i < 200; i++) throttle.failed(`198.51.100.${i}`, owner);
    assert.equal(throttle.failed('203.0.113.1', owner).delay, 4000);
    pass(8 * minute);
    assert.equal(throttle.failed('203.0.113.2', owner).delay, 0);
  });

  it('counts an address over all accounts, but lets those in who live there', () => {
    const { throttle } = brake();
    throttle.succeeded('192.0.2.1', owner);
    let told = 0;
    for (let i = 0; i < 100; i++) told += guess(throttle, '192.0.2.1', `user${i}@example.org`, 1);
    assert.equal(told, 20);
    assert.equal(throttle.succeeded('192.0.2.1', 'juliet@example.org').refused, true);
    assert.deepEqual(throttle.succeeded('192.0.2.1', owner), { refused: false, delay: 0 });
    assert.equal(throttle.succeeded('192.0.2.2', 'juliet@example.org').refused, false);
    assert.equal(guess(throttle, '192.0.2.1', owner, 100), 5, 'a known network may not guess on');
  });

  it('forgives the own errors after a success, in all three counts', () => {
    const { throttle } = brake({ perAddress: { attempts: 6, window: minute } });
    guess(throttle, '192.0.2.1', owner, 4);
    assert.equal(throttle.succeeded('192.0.2.1', owner).refused, false);
    for (let i = 0; i < 5; i++) assert.equal(throttle.failed('198.51.100.1', owner).delay, 0, 'the account');
    let told = 0;
    for (let i = 0; i < 10; i++) told += guess(throttle, '192.0.2.1', `user${i}@example.org`, 1);
    assert.equal(told, 6, 'the network');
    const pair = brake().throttle;
    guess(pair, '192.0.2.1', owner, 4);
    pair.succeeded('192.0.2.1', owner);
    assert.equal(guess(pair, '192.0.2.1', owner, 10), 5, 'the pair');
  });

  it('never forgives errors of others: an own account buys no guesses', () => {
    const { throttle } = brake();
    let told = 0;
    for (let i = 0; i < 100; i++) {
      told += guess(throttle, '192.0.2.1', `user${i}@example.org`, 1);
      if (i % 3 === 0) guess(throttle, '192.0.2.1', 'mallory@example.org', 1);
      throttle.succeeded('192.0.2.1', 'mallory@example.org');
    }
    assert.equal(told, 20);
  });

  it('holds nothing against any number of right logins at once', () => {
    const { throttle } = brake();
    for (let i = 0; i < 5000; i++) {
      assert.equal(throttle.refuses('192.0.2.1', owner), false);
    }
    for (let i = 0; i < 5000; i++)
      assert.deepEqual(throttle.succeeded('192.0.2.1', owner), { refused: false, delay: 0 });
  });

  it('treats a /64 as one network', () => {
    const { throttle } = brake();
    let told = 0;
    for (let i = 0; i < 100; i++) told += guess(throttle, `2001:db8:1:2::${i.toString(16)}`, owner, 1);
    assert.equal(told, 5);
    assert.equal(throttle.refuses('2001:db8:1:3::1', owner), false);
  });

  it('forgets the least used where its tables are full', () => {
    const { throttle } = brake({ capacity: 20 });
    guess(throttle, '192.0.2.1', owner, 5);
    for (let i = 0; i < 1000; i++) guess(throttle, `10.0.${i >> 8}.${i & 255}`, `user${i}@example.org`, 1);
    assert.equal(throttle.refuses('192.0.2.1', owner), false);
  });

  it('tells long names apart', () => {
    const { throttle } = brake();
    const long = `${'x'.repeat(1000)}@example.org`;
    assert.equal(guess(throttle, '192.0.2.1', long, 10), 5);
    assert.equal(throttle.refuses('192.0.2.1', `${'x'.repeat(999)}y@example.org`), false);
  });
});

describe('a login behind the brake', () => {
  const accounts = backend({ user: { password: 'pencil' } });

  function attempt(throttle: LoginThrottle, mechanism: string, password: string, address = '192.0.2.1', name = 'user') {
    const gate = throttle.gate(address, 'example.org');
    const exchange = begin(mechanism, context({ backend: accounts, gate }));
    assert.ok(exchange);
    if (mechanism === 'PLAIN') return Promise.resolve(exchange.step(bytes(`\0${name}\0${password}`)));
    return login(exchange, { hash: 'sha1', password, name });
  }

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-1']) {
    it(`${mechanism}: many wrong passwords, and the owner gets in from elsewhere`, async () => {
      const { throttle, pass } = brake();
      for (let i = 0; i < 5; i++) await fails(attempt(throttle, mechanism, 'wrong'), 'not-authorized');
      await fails(attempt(throttle, mechanism, 'wrong'), 'temporary-auth-failure');
      await fails(attempt(throttle, mechanism, 'pencil'), 'temporary-auth-failure');
      const elsewhere = await attempt(throttle, mechanism, 'pencil', '198.51.100.1');
      assert.ok(elsewhere.kind === 'success');
      assert.equal(elsewhere.delay, 250);
      pass(minute);
      assert.equal((await attempt(throttle, mechanism, 'pencil')).kind, 'success');
    });

    it(`${mechanism}: an unknown name is braked alike`, async () => {
      const answers: SaslStep[][] = [];
      for (const name of ['user', 'nobody']) {
        const { throttle } = brake();
        const run: SaslStep[] = [];
        for (let i = 0; i < 7; i++) {
          const answer = await attempt(throttle, mechanism, 'wrong', '192.0.2.1', name);
          assert.ok(answer.kind === 'failure');
          run.push({ ...answer, local: '' });
        }
        answers.push(run);
      }
      assert.deepEqual(answers[0], answers[1]);
    });

    it(`${mechanism}: guesses at once get no further than one after the other`, async () => {
      const { throttle } = brake();
      const guesses = Array.from({ length: 50 }, (_, i) => attempt(throttle, mechanism, i === 40 ? 'pencil' : 'wrong'));
      const answers = await Promise.all(guesses);
      assert.equal(answers.filter(answer => answer.kind === 'success').length, 0);
      assert.equal(
        answers.filter(answer => answer.kind === 'failure' && answer.condition === 'not-authorized').length,
        5,
      );
    });
  }
});

describe('networkOf', () => {
  const cases: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
  ];
  for (const [address, network] of cases) {
    it(`${address || 'nothing'} is in ${network || 'nothing'}`, () => assert.equal(networkOf(address), network));
  }
});
