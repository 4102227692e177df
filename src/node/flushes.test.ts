import assert from 'node:assert/strict';
import type { Session } from '../session/session.ts';
import { Unit } from '../util/unit.ts';
import { Flushes } from './flushes.ts';

describe('Flushes', () => {
  let flushes: Flushes;
  /** Names of sessions, a list for each tick in which any was written to. */
  let ticks: string[][];

  beforeEach(() => {
    flushes = new Flushes();
    ticks = [];
  });

  const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  function session(name: string): Session {
    const flush = (): void => void ticks.at(-1)!.push(name);
    return { dirty: false, flush } as unknown as Session;
  }

  function add(name: string, unit?: Unit): Session {
    const added = session(name);
    flushes.add(added, unit);
    assert(added.dirty);
    return added;
  }

  /** What is written until nothing is left. */
  async function run(most = 1000): Promise<void> {
    for (let i = 0; i < most; i++) {
      ticks.push([]);
      await tick();
      if (ticks.at(-1)!.length === 0) return;
    }
    assert.fail('it never ends');
  }

  const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  it('write once in the next tick, in the order in which they were added', async () => {
    const all = named('a', 50).map(name => add(name));
    await run();
    assert.deepEqual(ticks, [named('a', 50), []]);
    assert(all.every(({ dirty }) => !dirty));
  });

  it('are as many in a tick as there are, where each has its own reason', async () => {
    for (const name of named('a', 300)) add(name, new Unit());
    for (const name of named('b', 300)) {
      flushes.next();
      add(name);
    }
    await run();
    assert.deepEqual(ticks, [[...named('a', 300), ...named('b', 300)], []]);
  });

  it('have their turn beside a stanza that goes to very many, before and behind it', async () => {
    const wide = new Unit();
    add('before');
    for (const name of named('m', 2000)) add(name, wide);
    add('behind', new Unit());
    flushes.next();
    add('next');
    ticks.push([]);
    await tick();
    const [first] = ticks as [string[]];
    for (const name of ['before', 'behind', 'next']) assert(first.includes(name), name);
    assert(first.length < 400, `${first.length} in one tick`);
    add('meanwhile');
    ticks.push([]);
    await tick();
    assert.equal(ticks[1]![0], 'meanwhile');
    assert(ticks[1]!.length < 400);
    await run();
    assert.deepEqual(
      ticks.flat().filter(name => name.startsWith('m') && name !== 'meanwhile'),
      named('m', 2000),
    );
    assert(ticks.length > 10);
  });

  it('are all written to in the end, also where more to very many comes in each tick', async () => {
    const waiting = new Set<Session>();
    let round = 0;
    for (; round < 200; round++) {
      const wide = new Unit();
      for (const name of named(`${round}-`, 1000)) waiting.add(add(name, wide));
      ticks.push([]);
      await tick();
      for (const one of waiting) if (!one.dirty) waiting.delete(one);
      assert(waiting.size < 10_000, `${waiting.size} wait`);
    }
    await run();
    assert.equal(ticks.flat().length, round * 1000);
  });
});
