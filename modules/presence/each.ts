type Step = void | Promise<void>;

/** Cost after which others get their turn: about a millisecond of telling, or of finding nobody to tell. */
const SLICE = 1000;

/**
 * Calls `tell` for each item, one after the other, in slices between which the event loop goes on. `tell` returns a promise when it
 * waits, else what the call has cost, in microseconds or so. Nothing is returned when all is done at once.
 */
export function eachInSlices<T>(items: Iterable<T>, tell: (item: T) => number | Promise<void>): Step {
  const left = items[Symbol.iterator]();
  const goOn = (): Step => {
    for (let cost = 0; cost < SLICE;) {
      const { done, value } = left.next();
      if (done) return undefined;
      const told = tell(value);
      if (typeof told !== 'number') return told.then(goOn);
      cost += told;
    }
    return new Promise<void>(resolve => setImmediate(resolve)).then(goOn);
  };
  return goOn();
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
