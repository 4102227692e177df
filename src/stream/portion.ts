/*
 * How much is read of a stream before it is the others' turn. Work is counted in ordinary stanzas: one of half a KB is one, one of
 * 4 KB is nine.
 */

/** Of one stream, in one turn of the event loop. */
const PORTION = 64;
/** Of all streams in one turn, after which each gets a small portion only, so that the turn ends soon. */
const CROWDED = 256;
const SMALL_PORTION = 8;
/** Characters that make a stanza count as one more. */
const LARGE = 512;

let handled = 0;
const nextTurn = (): void => {
  handled = 0;
};

/** What a stanza of that many characters counts. */
export function workOf(length: number): number {
  return 1 + Math.floor(length / LARGE);
}

/** Notes the work for a stanza, with which its stream has had `sum` in this turn. True when that is its portion. */
export function portionTaken(work: number, sum: number): boolean {
  if (handled === 0) setImmediate(nextTurn);
  handled += work;
  return sum >= (handled > CROWDED ? SMALL_PORTION : PORTION);
}
