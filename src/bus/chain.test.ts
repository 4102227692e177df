import assert from 'node:assert/strict';
import { packet } from '../../test/kit/wire.ts';
import { refuse, StanzaError } from '../protocol/index.ts';
import { Chain, DONE, type Handler, inOrder, matches, type Verdict, type Where } from './chain.ts';
import {
  type Address,
  ADDRESSES,
  BARE,
  FULL,
  HOST,
  IQ,
  type Kind,
  KINDS,
  MESSAGE,
  type Packet,
  PRESENCE,
} from './packet.ts';

const PHASES = [
  ['gate', 'gate'],
  ['work', 'work'],
  ['tap', 'tap'],
] as const;

interface Failure {
  readonly owner: string;
  readonly point: string;
  readonly error: unknown;
}

/** A chain whose handlers write their names down, and what it tells its watch. */
class Trial {
  readonly chain = new Chain<string>('trial', 'A chain on trial.', PHASES);
  readonly calls: string[] = [];
  readonly failures: Failure[] = [];
  readonly measured: string[] = [];
  told: StanzaError | undefined;

  constructor(patience = 10_000) {
    this.chain.watch = {
      patience,
      failed: (owner, point, error) => {
        this.failures.push({ owner, point, error });
        return this.told;
      },
      measured: (owner, milliseconds) => {
        assert(milliseconds >= 0);
        this.measured.push(owner);
      },
    };
  }

  add(
    owner: string,
    phase: string,
    details: {
      where?: Where;
      before?: string[];
      after?: string[];
      does?: (p: Packet, b: string) => Verdict | Promise<Verdict>;
    } = {},
  ): () => void {
    const { where = {}, does, ...order } = details;
    const fn: Handler<Packet, string> = (p, b) => {
      this.calls.push(owner);
      return does?.(p, b);
    };
    return this.chain.add({ owner, phase, where, fn, ...order });
  }

  run(kind: Kind = MESSAGE, address: Address = BARE, b = ''): Verdict | Promise<Verdict> {
    this.calls.length = 0;
    const markup = kind === IQ ? `<iq type='get' id='1'/>` : kind === MESSAGE ? '<message/>' : '<presence/>';
    const p = packet(markup);
    p.address = address;
    return this.chain.run(p, b);
  }
}

describe('Chain', () => {
  describe('order', () => {
    it('is that of the phases first, then of the names', () => {
      const trial = new Trial();
      trial.add('b', 'tap');
      trial.add('d', 'work');
      trial.add('c', 'work');
      trial.add('z', 'gate');
      assert.equal(trial.run(), undefined);
      assert.deepEqual(trial.calls, ['z', 'c', 'd', 'b']);
    });

    it('is never that of loading', () => {
      const names = ['a', 'b', 'c', 'd'];
      const rules: Record<string, { before?: string[]; after?: string[] }> = {
        a: { after: ['c'] },
        d: { before: ['b'] },
      };
      const orders = new Set<string>();
      for (const loaded of permutations(names)) {
        const trial = new Trial();
        for (const name of loaded) trial.add(name, 'work', rules[name]);
        void trial.run();
        orders.add(trial.calls.join());
      }
      assert.deepEqual([...orders], ['c,a,d,b']);
    });

    it('heeds before and after, whether those named are there or not', () => {
      const trial = new Trial();
      trial.add('a', 'work', { after: ['b', 'absent'] });
      trial.add('b', 'work');
      trial.add('c', 'work', { before: ['b'] });
      void trial.run();
      assert.deepEqual(trial.calls, ['c', 'b', 'a']);
    });

    it('of one module in one phase is that of its calls', () => {
      const out = inOrder([
        { owner: 'b', n: 1 },
        { owner: 'a', n: 2, after: ['a'] },
        { owner: 'a', n: 3 },
      ]);
      assert.deepEqual(
        out.map(item => item.n),
        [2, 3, 1],
      );
    });

    it('cannot go in a circle, and an attempt changes nothing', () => {
      const trial = new Trial();
      trial.add('a', 'work', { after: ['b'] });
      assert.throws(() => trial.add('b', 'work', { after: ['a'] }), /circle: a, b/);
      void trial.run();
      assert.deepEqual(trial.calls, ['a']);
      assert.equal(trial.chain.registrations.length, 1);
    });

    it('knows no phases but its own, and no unknown kinds', () => {
      const trial = new Trial();
      assert.throws(() => trial.add('a', 'early'), /no phase 'early' \(it has gate, work, tap\)/);
      assert.throws(() => trial.add('a', 'work', { where: { kind: 'mesage' as 'message' } }), /no 'mesage'/);
      assert.equal(trial.chain.registrations.length, 0);
    });
  });

  describe('where', () => {
    it('decides alone who is asked: each kind at each address', () => {
      const wheres: Where[] = [
        {},
        { kind: 'message' },
        { kind: ['iq', 'presence'], to: 'full' },
        { to: ['host', 'bare'] },
        { kind: ['message', 'message'], to: ['foreign', 'foreign'] },
      ];
      const trial = new Trial();
      wheres.forEach((where, index) => trial.add(String(index), 'work', { where }));
      for (const kind of [MESSAGE, PRESENCE, IQ] as const) {
        for (let address = 0 as Address; address < ADDRESSES.length; address++) {
          void trial.run(kind, address);
          const wanted = [...wheres.keys()].filter(index => matches(wheres[index]!, kind, address)).map(String);
          assert.deepEqual(trial.calls, wanted, `${KINDS[kind]} to ${ADDRESSES[address]}`);
        }
      }
    });

    it('is right after a handler has gone', () => {
      const trial = new Trial();
      const remove = trial.add('a', 'work', { where: { kind: 'iq' } });
      trial.add('b', 'work', { where: { kind: 'iq', to: 'host' } });
      remove();
      remove();
      void trial.run(IQ, HOST);
      assert.deepEqual(trial.calls, ['b']);
      void trial.run(IQ, FULL);
      assert.deepEqual(trial.calls, []);
    });
  });

  describe('verdicts', () => {
    it('stop the stanza: DONE and errors are given back, later handlers not asked', () => {
      const error = refuse('forbidden');
      for (const verdict of [DONE, error] as const) {
        for (const phase of ['gate', 'work']) {
          const trial = new Trial();
          trial.add('a', phase, { does: () => verdict });
          trial.add('b', phase);
          trial.add('c', 'tap');
          assert.equal(trial.run(), verdict);
          assert.deepEqual(trial.calls, ['a']);
        }
      }
    });

    it('wait when one of them does, and go on behind it', async () => {
      const trial = new Trial();
      const waiting = Promise.withResolvers<void>();
      trial.add('a', 'work', { does: () => waiting.promise });
      trial.add('b', 'work', { does: () => DONE });
      const result = trial.run();
      assert(result instanceof Promise);
      assert.deepEqual(trial.calls, ['a']);
      waiting.resolve();
      assert.equal(await result, DONE);
      assert.deepEqual(trial.calls, ['a', 'b']);
    });

    it('are no promises as long as nobody waits', () => {
      const trial = new Trial();
      trial.add('a', 'gate');
      trial.add('b', 'work', { does: () => DONE });
      assert.equal(trial.run(), DONE);
    });

    it('of taps count nothing, and nobody waits for them', () => {
      const trial = new Trial();
      trial.add('a', 'tap', { does: () => DONE });
      trial.add('b', 'tap', { does: () => new Promise(() => {}) });
      trial.add('c', 'tap', { does: () => refuse('conflict') });
      trial.add('d', 'tap');
      assert.equal(trial.run(), undefined);
      assert.deepEqual(trial.calls, ['a', 'b', 'c', 'd']);
    });
  });

  describe('failures', () => {
    const bug = new Error('a bug');
    const ways: Record<string, () => Promise<void>> = {
      throws: () => {
        throw bug;
      },
      rejects: () => Promise.reject(bug),
    };

    for (const [way, does] of Object.entries(ways)) {
      it(`a gate that ${way} refuses`, async () => {
        const trial = new Trial();
        trial.add('a', 'gate', { does });
        trial.add('b', 'work');
        const verdict = await trial.run();
        assert(verdict instanceof StanzaError);
        assert.equal(verdict.condition, 'internal-server-error');
        assert.deepEqual(trial.calls, ['a']);
        assert.deepEqual(trial.failures, [{ owner: 'a', point: 'trial', error: bug }]);
      });

      it(`work that ${way} is skipped`, async () => {
        const trial = new Trial();
        trial.add('a', 'work', { does });
        trial.add('b', 'work');
        assert.equal(await trial.run(), undefined);
        assert.deepEqual(trial.calls, ['a', 'b']);
        assert.deepEqual(trial.failures, [{ owner: 'a', point: 'trial', error: bug }]);
      });

      it(`work that ${way} stops the stanza when the watch says so`, async () => {
        const trial = new Trial();
        trial.told = refuse('resource-constraint');
        trial.add('a', 'work', { does });
        trial.add('b', 'work');
        assert.equal(await trial.run(), trial.told);
        assert.deepEqual(trial.calls, ['a']);
      });

      it(`a tap that ${way} is noted, no more`, async () => {
        const trial = new Trial();
        trial.told = refuse('resource-constraint');
        trial.add('a', 'tap', { does });
        trial.add('b', 'tap');
        assert.equal(trial.run(), undefined);
        assert.deepEqual(trial.calls, ['a', 'b']);
        await new Promise(resolve => setImmediate(resolve));
        assert.deepEqual(trial.failures, [{ owner: 'a', point: 'trial', error: bug }]);
      });
    }

    it('a promise that is never settled is one: the gate refuses, the work is skipped', async () => {
      const trial = new Trial(5);
      trial.add('a', 'work', { does: () => new Promise(() => {}) });
      trial.add('b', 'work');
      assert.equal(await trial.run(), undefined);
      assert.deepEqual(trial.calls, ['a', 'b']);
      trial.add('c', 'gate', { does: () => new Promise(() => {}) });
      const verdict = await trial.run();
      assert(verdict instanceof StanzaError);
      assert.deepEqual(
        trial.failures.map(({ owner, error }) => [owner, (error as Error).message]),
        [
          ['a', 'no answer within 5 ms'],
          ['c', 'no answer within 5 ms'],
        ],
      );
    });
  });

  describe('changes under way', () => {
    it('a handler that is taken away is not asked for stanzas that wait before it', async () => {
      const trial = new Trial();
      const waiting = Promise.withResolvers<void>();
      trial.add('a', 'work', { does: () => waiting.promise });
      const remove = trial.add('b', 'work', { does: () => DONE });
      trial.add('c', 'work');
      const result = trial.run();
      remove();
      waiting.resolve();
      assert.equal(await result, undefined);
      assert.deepEqual(trial.calls, ['a', 'c']);
    });

    it('a handler can be swapped, for stanzas that wait before it too', async () => {
      const trial = new Trial();
      const waiting = Promise.withResolvers<void>();
      trial.add('a', 'work', { does: () => waiting.promise });
      const registration = { owner: 'b', phase: 'work', where: {}, fn: (): Verdict => undefined };
      trial.chain.add(registration);
      const result = trial.run();
      trial.chain.swap(registration, () => DONE);
      waiting.resolve();
      assert.equal(await result, DONE);
    });
  });

  describe('measuring', () => {
    it('happens once in 256 runs, handler by handler, with the same outcome', async () => {
      const trial = new Trial();
      trial.add('a', 'gate', { does: (_, b) => (b === 'wait' ? Promise.resolve() : undefined) });
      trial.add('b', 'work', { does: () => DONE });
      trial.add('c', 'tap');
      for (let i = 1; i < 256; i++) assert.equal(trial.run(), DONE);
      assert.deepEqual(trial.measured, []);
      assert.equal(trial.run(), DONE);
      assert.deepEqual(trial.measured, ['a', 'b']);
      assert.deepEqual(trial.calls, ['a', 'b']);
      for (let i = 1; i < 256; i++) assert.equal(trial.run(), DONE);
      assert.deepEqual(trial.measured, ['a', 'b']);
      const result = trial.run(MESSAGE, BARE, 'wait');
      assert.equal(await result, DONE);
      assert.deepEqual(trial.measured, ['a', 'b', 'a']);
      assert.deepEqual(trial.calls, ['a', 'b']);
    });
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map(rest => [item, ...rest]));
}
