import type { Transactor } from '../../src/api/index.ts';
import { PENDING, UPLOADS } from './schema.ts';
import type { Slot } from './store.ts';

/** What one may have; 0: without end. */
interface Limit {
  readonly bytes: number;
  readonly files: number;
}

export interface Limits {
  /** Of what is there for the purpose. */
  readonly purpose: Limit;
  /** Of what was uploaded within a day. */
  readonly daily: Limit;
  /** Milliseconds. */
  readonly day: number;
}

/** Why a slot is not given. */
export interface Refused {
  readonly limit: 'purpose' | 'daily';
  readonly of: 'bytes' | 'files';
  /** The first time at which it could be, in milliseconds since 1970; undefined where time alone does not help. */
  readonly retry: number | undefined;
}

/** Rows that are looked at for when there is room again. */
const LOOKED_AT = 1000;

/** Of a row, what tells when it counts no more; some databases give large numbers as text. */
interface Counted {
  readonly size: number | string;
  readonly state: number;
  readonly ends: number | string;
  readonly created: number | string;
}

/** Whether there is no room for a slot in its owner's quota. What is uploaded now has its place already. */
export async function refusal(tx: Transactor, slot: Slot, limits: Limits): Promise<Refused | undefined> {
  const { owner, purpose, created: now } = slot;
  const daily = () =>
    tx(UPLOADS)
      .where({ owner })
      .where('created', '>', now - limits.day)
      .where(q => void q.whereNot({ state: PENDING }).orWhere('ends', '>', now));
  const there = () => tx(UPLOADS).where({ owner, purpose }).whereIn('state', [0, 1]).where('ends', '>', now);
  const kinds = [
    { limit: 'purpose', rows: there, most: limits.purpose, frees: 'ends', after: 0 },
    { limit: 'daily', rows: daily, most: limits.daily, frees: 'created', after: limits.day },
  ] as const;
  for (const { limit, rows, most, frees, after } of kinds) {
    if (most.bytes === 0 && most.files === 0) continue;
    const sum = await rows().sum({ bytes: 'size' }).count({ files: '*' }).first();
    const over = (bytes: number, files: number): 'bytes' | 'files' | undefined => {
      if (most.bytes > 0 && bytes + slot.size > most.bytes) return 'bytes';
      return most.files > 0 && files + 1 > most.files ? 'files' : undefined;
    };
    let [bytes, files] = [Number(sum?.bytes ?? 0), Number(sum?.files ?? 0)];
    const of = over(bytes, files);
    if (of === undefined) continue;
    let retry: number | undefined;
    const next = (await rows().orderBy(frees).limit(LOOKED_AT).select('size', 'state', 'ends', 'created')) as Counted[];
    // a slot that is not used has its place no longer than it holds
    const times = next.map(row => ({
      size: row.size,
      time: Number(row.state === PENDING ? row.ends : row[frees]) + (row.state === PENDING ? 0 : after),
    }));
    for (const { size, time } of times.toSorted((a, b) => a.time - b.time)) {
      bytes -= Number(size);
      files--;
      if (over(bytes, files) !== undefined) continue;
      retry = time;
      break;
    }
    return { limit, of, retry };
  }
  return undefined;
}
