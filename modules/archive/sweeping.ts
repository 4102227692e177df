import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
} from '../../src/api/index.ts';
import { each } from './each.ts';
import { ADDRESSES, ENTRIES, MESSAGES, RECEIVED, SENT } from './schema.ts';

/** Messages that one transaction takes away: a few milliseconds in which the event loop waits. */
const PORTION = 100;
/** Addresses that are looked at in one go. */
const ADDRESSES_AT_ONCE = 200;

interface Old {
  readonly owner: number;
  readonly ids: readonly number[];
  /** Its account is gone: what only it knew may go too. */
  readonly gone: boolean;
}

interface AddressRow {
  id: number;
  jid: string;
  gone_before: number;
}

/** Takes a message out of an archive; it stays while another one has it. `peers` gets the number of its correspondent. */
function take(tx: BatchTransaction, owner: number, id: number, peers: Set<number>): MaybePromise<unknown> {
  const select = `select sender, recipient, flags from ${MESSAGES} where id = ?`;
  const row = tx.get<{ sender: number; recipient: number; flags: number }>(select, id);
  return andThen(row, found => {
    const gone = tx.run(`delete from ${ENTRIES} where owner = ? and id = ?`, owner, id);
    if (!found) return gone;
    peers.add(Number(Number(found.sender) === owner ? found.recipient : found.sender));
    let flags = Number(found.flags);
    if (Number(found.sender) === owner) flags &= ~SENT;
    if (Number(found.recipient) === owner) flags &= ~RECEIVED;
    return andThen(gone, () =>
      (flags & (SENT | RECEIVED)) === 0
        ? tx.run(`delete from ${MESSAGES} where id = ?`, id)
        : tx.run(`update ${MESSAGES} set flags = ? where id = ?`, flags, id),
    );
  });
}

/** Has an address looked at by reaping.ts: no key is as small as this one. */
function suspect(tx: BatchTransaction, id: number): MaybePromise<unknown> {
  return tx.run(`update ${ADDRESSES} set gone_before = 1 where id = ? and gone_before = 0`, id);
}

/** Takes away what is too old and what accounts that were removed have left, a little at a time. */
export class Sweeping {
  private readonly addresses: Statement<AddressRow>;
  private readonly oldest: Statement<{ id: number }>;
  private readonly writer: BatchWriter<Old, void>;
  /** Archives that are in use again, whatever a sweep that is under way has read of them. */
  readonly spared = new Set<number>();

  constructor(storage: Storage) {
    this.addresses = storage.prepare(
      `select id, jid, gone_before from ${ADDRESSES} where id > ? order by id limit ${ADDRESSES_AT_ONCE}`,
    );
    this.oldest = storage.prepare(`select id from ${ENTRIES} where owner = ? and id < ? order by id limit ${PORTION}`);
    this.writer = storage.batch<Old, void>({
      name: 'archive sweep',
      write: (tx, { owner, ids, gone }) => {
        const peers = new Set<number>();
        const taken = each(ids, id => take(tx, owner, id, peers));
        return gone ? andThen(taken, () => each([...peers], peer => suspect(tx, peer))) : taken;
      },
    });
  }

  /**
   * Goes through all addresses once; `floor` gives the key before which an address (a bare JID) keeps nothing. What is in the tail is
   * not seen. Returns how many messages were taken out of an archive. `pause` is waited for between portions and may reject to end it.
   */
  async run(floor: (jid: string) => number, pause: () => Promise<void>): Promise<number> {
    let taken = 0;
    for (let last = 0; ;) {
      const rows = await this.addresses.all(last);
      for (const { id, jid, gone_before } of rows) {
        const owner = Number(id);
        const gone = Number(gone_before);
        const oldest = floor(jid);
        if (gone > oldest) taken += await this.empty(owner, gone, pause, true, () => this.spared.has(owner));
        if (oldest > 0) taken += await this.empty(owner, oldest, pause, false);
      }
      if (rows.length < ADDRESSES_AT_ONCE) return taken;
      last = Number(rows.at(-1)!.id);
      await pause();
    }
  }

  /** Takes away what an archive has before a key, because its account is `gone` or it is too old, until `ended` says so. Returns how many messages that were. */
  async empty(
    owner: number,
    before: number,
    pause: () => Promise<void>,
    gone: boolean,
    ended: () => boolean = () => false,
  ): Promise<number> {
    for (let taken = 0; ;) {
      if (ended()) return taken;
      const ids = (await this.oldest.all(owner, before)).map(row => Number(row.id));
      if (ids.length === 0) return taken;
      await this.writer.write({ owner, ids, gone });
      taken += ids.length;
      await pause();
    }
  }
}
