import { andThen, type BatchTransaction, type MaybePromise, type Storage } from '../../src/api/index.ts';
import { FAREWELLS, GROUPS_TABLE } from './schema.ts';
import type { Writing } from './writing.ts';

/** What the members of a group that was ended are told. */
export interface StoredFarewell {
  readonly room: number;
  readonly jid: string;
  /** JSON. */
  readonly farewell: string;
}

/** Groups that are about to end, or whose members were not told yet. */
export class FarewellStore {
  private readonly storage: Storage;
  private readonly writing: Writing;

  constructor(storage: Storage, writing: Writing) {
    this.storage = storage;
    this.writing = writing;
  }

  /**
   * A group is about to end: whoever starts the program next tells its members, if this one does not. Its founder may found another from
   * then on.
   */
  async bid(farewell: StoredFarewell): Promise<void> {
    await this.writing(tx =>
      andThen(forget(tx, farewell, 1), () =>
        andThen(
          tx.run(
            `insert into ${FAREWELLS} (room, jid, farewell) values (?, ?, ?)`,
            farewell.room,
            farewell.jid,
            farewell.farewell,
          ),
          () => 0,
        ),
      ),
    );
  }

  async told(room: number): Promise<void> {
    await this.writing(tx => andThen(tx.run(`delete from ${FAREWELLS} where room = ?`, room), () => 0));
  }

  /** It has not ended after all. */
  async spare(farewell: Pick<StoredFarewell, 'jid' | 'room'>): Promise<void> {
    await this.writing(tx => forget(tx, farewell, 0));
  }

  all(): Promise<StoredFarewell[]> {
    return this.storage.read(q => q<StoredFarewell>(FAREWELLS).orderBy('room').select('room', 'jid', 'farewell'));
  }
}

function forget(
  tx: BatchTransaction,
  { room, jid }: Pick<StoredFarewell, 'jid' | 'room'>,
  ending: number,
): MaybePromise<number> {
  return andThen(tx.run(`delete from ${FAREWELLS} where room = ?`, room), () =>
    andThen(tx.run(`update ${GROUPS_TABLE} set ending = ? where jid = ?`, ending, jid), () => 0),
  );
}
