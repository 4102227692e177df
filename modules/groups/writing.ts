import type { BatchTransaction, MaybePromise, Storage } from '../../src/api/index.ts';

type Job = (tx: BatchTransaction) => MaybePromise<number>;

/** Everything that is kept of groups is written by it, in the order in which it was given. */
export type Writing = (job: Job) => Promise<number>;

export function openWriting(storage: Storage): Writing {
  const writer = storage.batch<{ readonly job: Job }, number>({ name: 'groups', write: (tx, { job }) => job(tx) });
  return job => writer.write({ job });
}
