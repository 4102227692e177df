/* Whether what many did at the same time can be explained by one doing it after the other (Herlihy and Wing's linearizability). */

/** Something that somebody did: when it was asked and answered, and what the answer was. */
export interface Operation<T> {
  readonly asked: number;
  readonly answered: number;
  readonly what: T;
}

/** Does something, and notes when. */
export async function timed<T>(does: () => Promise<T>): Promise<Operation<T>> {
  const asked = performance.now();
  const what = await does();
  return { asked, answered: performance.now(), what };
}

/**
 * An order of the operations that respects which of them was answered before another was asked, and in which each answer is the one
 * that the model gives; undefined: there is none. `step` gives the state after an operation, or undefined where its answer is wrong in that
 * state; states are compared as text. `ends`: whether a state may be the last.
 */
export function explain<S, T>(
  operations: readonly Operation<T>[],
  initial: S,
  step: (state: S, what: T) => S | undefined,
  ends: (state: S) => boolean = () => true,
): Operation<T>[] | undefined {
  const sorted = operations.toSorted((a, b) => a.asked - b.asked);
  const hopeless = new Set<string>();
  const order: Operation<T>[] = [];

  function search(left: readonly Operation<T>[], state: S): boolean {
    if (left.length === 0) return ends(state);
    const key = `${JSON.stringify(state)} ${left.map(one => sorted.indexOf(one)).join()}`;
    if (hopeless.has(key)) return false;
    const first = Math.min(...left.map(({ answered }) => answered));
    for (const one of left) {
      // it was asked after another was answered, which comes before it
      if (one.asked > first) break;
      const next = step(state, one.what);
      if (next === undefined) continue;
      order.push(one);
      if (
        search(
          left.filter(other => other !== one),
          next,
        )
      )
        return true;
      order.pop();
    }
    hopeless.add(key);
    return false;
  }

  return search(sorted, initial) ? order : undefined;
}
