type Step = void | Promise<void>;

/** Cost after which others get their turn: about a millisecond of telling, or of finding nobody to tell. */
const SLICE = 1000;

/** What a call that waited counts, beside its waiting. */
const WAITED = 10;

/**
 * Calls `tell` for each item, one after the other, in slices between which the event loop goes on. `tell` returns a promise when it
 * waits, else what the call has cost, in microseconds or so. Nothing is returned when all is done at once. `first`: how much the first
 * slice may cost, where as much as possible has to be done together.
 */
export function eachInSlices<T>(items: Iterable<T>, tell: (item: T) => number | Promise<void>, first = SLICE): Step {
  const left = items[Symbol.iterator]();
  for (let cost = 0; cost < first;) {
    const { done, value } = left.next();
    if (done) return undefined;
    const told = tell(value);
    if (typeof told !== 'number') return theRest(left, tell, told);
    cost += told;
  }
  return theRest(left, tell, breath());
}

async function theRest<T>(left: Iterator<T>, tell: (item: T) => number | Promise<void>, begun: Promise<void>) {
  await begun;
  let cost = 0;
  for (let item = left.next(); !item.done; item = left.next()) {
    const told = tell(item.value);
    if (typeof told === 'number') cost += told;
    else {
      // what waits no longer than a promise takes has not let anybody else have his turn
      await told;
      cost += WAITED;
    }
    if (cost < SLICE) continue;
    await breath();
    cost = 0;
  }
}

function breath(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/** One after the other where one waits; at once where none does. */
export function inOrder<T>(items: Iterable<T>, act: (item: T) => Step): Step {
  let waiting: Promise<void> | undefined;
  for (const item of items) {
    const step: Step = waiting ? waiting.then(() => act(item)) : act(item);
    if (step) waiting = step;
  }
  return waiting;
}
