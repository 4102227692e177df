import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Storage,
} from '../../src/api/index.ts';
import { tailOf } from './key.ts';
import { INSERT, type NewMessage, valuesOf } from './row.ts';
import { ENTRIES, entryFlags, MESSAGES, type RECEIVED, SENT } from './schema.ts';

/** 'other': a message of other people has its id. 'crowded': its place, and those behind it, are taken. */
export type Imported = 'imported' | 'known' | 'other' | 'crowded';

type Side = typeof SENT | typeof RECEIVED;

interface There {
  tail: string;
  sender: number;
  recipient: number;
  flags: number;
}

/** Places behind its own in which a message is looked for, and put. */
const FURTHER = 64;

/**
 * Puts messages of an earlier time into archives. One that is in the archive of the other side already, with the same id, becomes one with
 * it. Where a message has the place of another one (of a server whose ids are as ours) it gets the next that is free.
 */
export class Importing {
  private readonly writer: BatchWriter<NewMessage & { side: Side }, Imported>;

  /** `covers`: whether what has that key belongs into the table of entries at once. */
  constructor(storage: Storage, covers: (key: number) => boolean) {
    this.writer = storage.batch<NewMessage & { side: Side }, Imported>({
      name: 'archive imports',
      write: (tx, row) => {
        const from = row.key;
        const place = (key: number): MaybePromise<Imported> => {
          if (key - from > FURTHER || !covers(key)) return 'crowded';
          return andThen(found(tx, key), there => {
            if (there && there.tail !== tailOf(row.id)) return place(key + 1);
            return there ? join(tx, row, key, there) : insert(tx, row, key);
          });
        };
        return place(from);
      },
    });
  }

  write(message: NewMessage, side: Side): Promise<Imported> {
    return this.writer.write({ ...message, side });
  }
}

function found(tx: BatchTransaction, key: number): MaybePromise<There | undefined> {
  return tx.get<There>(`select tail, sender, recipient, flags from ${MESSAGES} where id = ?`, key);
}

function join(
  tx: BatchTransaction,
  row: NewMessage & { side: Side },
  key: number,
  there: There,
): MaybePromise<Imported> {
  if (Number(there.sender) !== row.sender.id || Number(there.recipient) !== row.recipient.id) return 'other';
  const flags = Number(there.flags);
  if ((flags & row.side) !== 0) return 'known';
  const update = tx.run(`update ${MESSAGES} set flags = ? where id = ?`, flags | row.side, key);
  return andThen(update, () => enter(tx, row, key, flags));
}

function insert(tx: BatchTransaction, row: NewMessage & { side: Side }, key: number): MaybePromise<Imported> {
  return andThen(tx.run(INSERT, ...valuesOf({ ...row, key })), () => enter(tx, row, key, row.flags));
}

function enter(
  tx: BatchTransaction,
  row: NewMessage & { side: Side },
  key: number,
  flags: number,
): MaybePromise<Imported> {
  const { side, mark } = row;
  const [owner, peer] = side === SENT ? [row.sender, row.recipient] : [row.recipient, row.sender];
  const sql = `insert into ${ENTRIES} (owner, id, peer, flags, mark) values (?, ?, ?, ?, ?)`;
  return andThen(tx.run(sql, owner.id, key, peer.id, entryFlags(side, flags), mark), () => 'imported' as const);
}
