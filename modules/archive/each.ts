import { andThen, type MaybePromise } from '../../src/api/index.ts';

/** One step after the other: without a promise as long as no step makes one. */
export function each<T>(items: readonly T[], step: (item: T) => MaybePromise<unknown>, from = 0): MaybePromise<void> {
  for (let i = from; i < items.length; i++) {
    const done = step(items[i]!);
    if (done instanceof Promise) return andThen(done, () => each(items, step, i + 1));
  }
  return undefined;
}
