import type { Statement, Storage, StoreDefinition, Transactor } from '../../src/api/index.ts';
import type { Purpose } from './purposes.ts';
import { GONE, KEPT, migrations, PENDING, REMAINS, UPLOADS } from './schema.ts';
import { type Limits, type Refused, refusal } from './quota.ts';

/** What stands for 'never', in milliseconds since 1970: the end of the year 9999. */
export const NEVER = 253_402_300_799_000;

/** A file that may be uploaded. Times are milliseconds since 1970. */
export interface Slot {
  readonly name: string;
  readonly secret: string;
  /** A bare address. */
  readonly owner: string;
  readonly purpose: Purpose;
  readonly filename: string;
  /** '' where it was not said. */
  readonly type: string;
  readonly size: number;
  readonly created: number;
  /** How long it stays, in seconds; 0: without end. */
  readonly keep: number;
  /** When it must be gone at the latest; NEVER for most. */
  readonly expires: number;
  /** Until when the upload may begin; when it has come, until when it stays. */
  readonly ends: number;
}

/** A slot, or the file that came. */
export interface Upload extends Slot {
  readonly state: number;
  /** When the file came; 0 before. */
  readonly stored: number;
}

/** The rows of slots and files. */
export class UploadStore {
  private readonly storage: Storage;
  private readonly byName: Statement<Upload>;
  private readonly bySecret: Statement<Upload>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.byName = storage.prepare(`select * from ${UPLOADS} where name = ?`);
    this.bySecret = storage.prepare(`select * from ${UPLOADS} where secret = ?`);
  }

  /** Takes a slot's place in the quota of its owner, or says why there is none. */
  async reserve(slot: Slot, limits: Limits): Promise<Refused | undefined> {
    return this.storage.transact(async tx => {
      const refused = await refusal(tx, slot, limits);
      if (!refused) await tx(UPLOADS).insert({ ...slot, state: PENDING, stored: 0 });
      return refused;
    });
  }

  /** The slot of an address for PUT, whatever has become of it. */
  async slot(secret: string): Promise<Upload | undefined> {
    return read(await this.bySecret.get(secret));
  }

  /** A file that is there, now. */
  async file(name: string, now: number): Promise<Upload | undefined> {
    const row = read(await this.byName.get(name));
    return row?.state === KEPT && row.ends > now ? row : undefined;
  }

  /** An upload begins, or did not come to its end: the slot's place in the quota is kept until then. False when there is no such slot. */
  async extend(name: string, ends: number): Promise<boolean> {
    return this.storage.transact(
      async tx => Number(await tx(UPLOADS).where({ name, state: PENDING }).update({ ends })) > 0,
    );
  }

  /** The file is there. False when the slot is not any more. */
  async keep(name: string, file: { type: string; stored: number; ends: number }): Promise<boolean> {
    return this.storage.transact(
      async tx =>
        Number(
          await tx(UPLOADS)
            .where({ name, state: PENDING })
            .update({ ...file, state: KEPT }),
        ) > 0,
    );
  }

  /** All that an owner has is gone, but for what is to be removed from where files are kept. */
  async removeAll(owner: string): Promise<void> {
    await this.storage.transact(async tx => {
      const rows = await tx<Upload>(UPLOADS).where({ owner }).whereNot({ state: GONE }).select('name');
      await leave(tx, rows.map(({ name }) => name)); // prettier-ignore
      await tx(UPLOADS).where({ owner }).delete();
    });
  }

  /** One file is gone. False when there is none. */
  async remove(name: string): Promise<boolean> {
    return this.storage.transact(async tx => {
      const removed = Number(await tx(UPLOADS).where({ name }).whereNot({ state: GONE }).delete()) > 0;
      if (removed) await leave(tx, [name]);
      return removed;
    });
  }

  /** Some of those that have had their time go; how many. A file counts for its day (`day` in milliseconds) all the same. */
  async expire(now: number, day: number, limit: number): Promise<number> {
    return this.storage.transact(async tx => {
      const rows = (await tx<Upload>(UPLOADS).where('ends', '<=', now).orderBy('ends').limit(limit).select()).map(row =>
        read(row)!,
      );
      await leave(tx, rows.filter(({ state }) => state !== GONE).map(({ name }) => name)); // prettier-ignore
      const counts = rows.filter(({ state, created }) => state === KEPT && created + day > now);
      for (const { name, created } of counts)
        await tx(UPLOADS)
          .where({ name })
          .update({ state: GONE, ends: created + day });
      const over = rows.filter(row => !counts.includes(row)).map(({ name }) => name);
      if (over.length > 0) await tx(UPLOADS).whereIn('name', over).delete();
      return rows.length;
    });
  }

  /** Names of files that are to be removed. */
  async remains(limit: number): Promise<string[]> {
    const rows = await this.storage.read(q => q<{ name: string }>(REMAINS).limit(limit).select('name'));
    return rows.map(({ name }) => name);
  }

  /** They are removed. */
  async removed(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.storage.transact(tx => tx(REMAINS).whereIn('name', names).delete());
  }

  /** Those of the names that a row has, be it for a slot. */
  async known(names: readonly string[]): Promise<Set<string>> {
    const rows = await this.storage.read(q => q<Upload>(UPLOADS).whereIn('name', names).select('name'));
    return new Set(rows.map(({ name }) => name));
  }
}

/** Names at once in a statement. */
const TOGETHER = 200;

async function leave(tx: Transactor, names: readonly string[]): Promise<void> {
  for (let i = 0; i < names.length; i += TOGETHER)
    await tx(REMAINS).insert(names.slice(i, i + TOGETHER).map(name => ({ name })));
}

/** Some databases give large numbers as text. */
function read(row: Upload | undefined): Upload | undefined {
  if (!row) return undefined;
  const { size, created, stored, keep, expires, ends } = row;
  return {
    ...row,
    size: Number(size),
    created: Number(created),
    stored: Number(stored),
    keep: Number(keep),
    expires: Number(expires),
    ends: Number(ends),
  };
}

export const uploadStore: StoreDefinition<UploadStore> = {
  migrations,
  open: storage => new UploadStore(storage),
};
