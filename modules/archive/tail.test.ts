import assert from 'node:assert/strict';
import { type Entry, Tail } from './tail.ts';

const ROMEO = 1;
const JULIET = 2;
const NURSE = 3;
/** More than a block of the tail holds, twice. */
const MANY = 10_000;

const all = { after: 0, before: Number.MAX_SAFE_INTEGER };
const keys = (entries: readonly Entry[]): number[] => entries.map(({ id }) => id);

/** Keys from one to another, each entry once Romeo's and once Juliet's. */
function fill(tail: Tail, from: number, to: number): void {
  for (let key = from; key <= to; key++) {
    tail.add(ROMEO, key, key % 2 === 0 ? JULIET : NURSE, 5, key * 3);
    tail.add(JULIET, key, ROMEO, 6, key * 3);
  }
}

describe('the tail of archives', () => {
  let tail: Tail;
  beforeEach(() => {
    tail = new Tail();
  });

  it('gives what an owner has in both directions, of one correspondent, and no more than asked', () => {
    fill(tail, 1, MANY);
    const view = tail.of(ROMEO);
    assert.equal(view.forwards({ owner: ROMEO, ...all }, Infinity).length, MANY);
    const span = { owner: ROMEO, after: 4000, before: 4200 };
    assert.deepEqual(keys(view.forwards(span, 3)), [4001, 4002, 4003]);
    assert.deepEqual(keys(view.backwards(span, 3)), [4199, 4198, 4197]);
    assert.deepEqual(keys(view.forwards({ ...span, peer: JULIET }, 3)), [4002, 4004, 4006]);
    assert.deepEqual(keys(view.backwards({ ...span, peer: NURSE }, Infinity)).length, 100);
    assert.deepEqual(view.backwards(span, 1), [{ id: 4199, peer: NURSE, flags: 5, mark: 12_597 }]);
    assert.deepEqual(tail.of(NURSE).forwards({ owner: NURSE, ...all }, Infinity), []);
    assert.equal(tail.size, 2 * MANY);
    assert.deepEqual([tail.oldest, tail.newest], [1, MANY]);
  });

  it('gives both generations, one behind the other, and after that the young one alone', () => {
    fill(tail, 1, 10);
    tail.turn();
    fill(tail, 11, 20);
    const both = keys(tail.of(JULIET).forwards({ owner: JULIET, ...all }, Infinity));
    assert.deepEqual(
      both,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.deepEqual(keys(tail.of(JULIET).backwards({ owner: JULIET, ...all }, 11)), both.slice(9).toReversed());
    assert.deepEqual([tail.size, tail.oldest], [20, 1]);
    tail.settle();
    assert.deepEqual(keys(tail.of(JULIET).forwards({ owner: JULIET, ...all }, Infinity)), both.slice(10));
    assert.equal(tail.oldest, 11);
    tail.turn();
    tail.settle();
    assert.equal(tail.oldest, Infinity);
  });

  it('gives the places of the old generation owner by owner, in order', () => {
    fill(tail, 1, MANY);
    tail.turn();
    fill(tail, MANY + 1, MANY + 5);
    const rows = [...tail.places()].map(place => {
      const row: number[] = [];
      tail.read(place, row);
      return row;
    });
    assert.equal(rows.length, 2 * MANY);
    assert.deepEqual(rows[0], [ROMEO, 1, NURSE, 5, 3]);
    assert.deepEqual(rows.at(-1), [JULIET, MANY, ROMEO, 6, 3 * MANY]);
    assert.ok(rows.every((row, i) => i === 0 || row[0]! > rows[i - 1]![0]! || row[1]! > rows[i - 1]![1]!));
  });

  it('changes the flags of one entry of one owner, in either generation', () => {
    fill(tail, 1, 5);
    tail.turn();
    fill(tail, 6, 10);
    for (const key of [3, 8]) tail.setFlags(ROMEO, key, 9);
    tail.setFlags(ROMEO, 11, 9);
    const flags = (owner: number): number[] =>
      tail
        .of(owner)
        .forwards({ owner, ...all }, Infinity)
        .map(entry => entry.flags);
    assert.deepEqual(flags(ROMEO), [5, 5, 9, 5, 5, 5, 5, 9, 5, 5]);
    assert.deepEqual(new Set(flags(JULIET)), new Set([6]));
  });

  it('what somebody is reading stays as it was, whatever is moved and comes behind it', () => {
    fill(tail, 1, MANY);
    const view = tail.of(ROMEO);
    for (let round = 1; round < 4; round++) {
      tail.turn();
      tail.settle();
      fill(tail, round * MANY + 1, (round + 1) * MANY);
    }
    assert.deepEqual(
      keys(view.forwards({ owner: ROMEO, ...all }, Infinity)),
      Array.from({ length: MANY }, (_, i) => i + 1),
    );
    // and blocks that nobody reads are used again, for what is right in them
    const now = tail.of(ROMEO).forwards({ owner: ROMEO, ...all }, 2);
    assert.deepEqual(keys(now), [3 * MANY + 1, 3 * MANY + 2]);
  });
});
