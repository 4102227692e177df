/** Stanzas of one stream that are handled in one turn of the event loop; then it is the others' turn. */
const PORTION = 64;
/** Stanzas of all streams in one turn after which each gets a small portion only, so that the turn ends soon. */
const CROWDED = 256;
const SMALL_PORTION = 8;

let handled = 0;
const nextTurn = (): void => {
  handled = 0;
};

/** Counts a stanza of a stream, its `count`-th in this turn. True when that stream has had its portion. */
export function portionTaken(count: number): boolean {
  if (handled++ === 0) setImmediate(nextTurn);
  return count >= (handled > CROWDED ? SMALL_PORTION : PORTION);
}
