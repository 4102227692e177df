import assert from 'node:assert/strict';
import { Portions } from './portions.ts';

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Goes on by the work that is done, and by nothing else. */
let time = 0;
const now = (): number => time;

function work(milliseconds: number): void {
  time += milliseconds;
}

describe('Portions', () => {
  const done: number[] = [];
  const job = (portions: Portions, n: number, milliseconds = 3): void => {
    const proceed = (): void => {
      work(milliseconds);
      done.push(n);
    };
    if (portions.free()) proceed();
    else portions.wait({ proceed });
  };
  beforeEach(() => void done.splice(0));

  it('let work be done at once until the portion of a turn is used up, the rest in later turns and in order', async () => {
    const portions = new Portions(5, now);
    for (let n = 0; n < 7; n++) job(portions, n);
    // the second one began in time
    assert.deepEqual(done, [0, 1]);
    let turns = 0;
    for (; done.length < 7; turns++) {
      const before = done.length;
      await tick();
      assert.ok(done.length - before <= 2, `${done.length - before} in one turn`);
    }
    assert.ok(turns >= 3, `${turns} turns`);
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6]);
  });

  it('let who comes while others wait come after them', async () => {
    const portions = new Portions(5, now);
    for (let n = 0; n < 5; n++) job(portions, n);
    await tick();
    job(portions, 5, 0);
    assert.ok(!done.includes(5));
    while (done.length < 6) await tick();
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
    await tick();
    job(portions, 6, 0);
    assert.equal(done.at(-1), 6);
  });

  it('begin anew in each turn', async () => {
    const portions = new Portions(5, now);
    for (let turn = 0; turn < 3; turn++) {
      job(portions, turn, 6);
      assert.equal(done.at(-1), turn);
      assert.equal(portions.free(), false);
      await tick();
    }
  });

  it('go on after one that throws', async () => {
    const portions = new Portions(5, now);
    job(portions, 0, 6);
    const thrown = new Promise(resolve => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', error => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error.message);
      });
    });
    assert.equal(portions.free(), false);
    portions.wait({
      proceed: () => {
        throw new Error('a bug');
      },
    });
    job(portions, 1);
    assert.equal(await thrown, 'a bug');
    while (done.length < 2) await tick();
    assert.deepEqual(done, [0, 1]);
  });
});
