import { createHash } from 'node:crypto';
import {
  andThen,
  type BatchWriter,
  Lru,
  type MaybePromise,
  type Statement,
  type Storage,
} from '../../src/api/index.ts';
import { ADDRESSES } from './schema.ts';

/** An address that has an archive, or is in one. */
export interface Address {
  readonly id: number;
  /** What its archive had up to here is gone with an account of that name. */
  readonly goneBefore: number;
}

interface Row {
  id: number;
  gone_before: number;
}

const LONGEST = 191; // what MySQL 5.7 can index

/** How an address is written in the table. */
function written(bare: string): string {
  return bare.length <= LONGEST ? bare : `sha256:${createHash('sha256').update(bare).digest('hex')}`;
}

function addressOf({ id, gone_before }: Row): Address {
  return { id: Number(id), goneBefore: Number(gone_before) };
}

/** Bare JIDs as numbers. */
export class Addresses {
  private readonly storage: Storage;
  private readonly cache: Lru<string, Address>;
  private readonly one: Statement<Row>;
  private readonly making: BatchWriter<string, Address>;

  constructor(storage: Storage, cached: number) {
    this.storage = storage;
    this.cache = new Lru(cached);
    const select = `select id, gone_before from ${ADDRESSES} where jid = ?`;
    this.one = storage.prepare(select);
    this.making = storage.batch<string, Address>({
      name: 'archive addresses',
      write: (tx, bare) => {
        const jid = written(bare);
        return andThen(tx.get<Row>(select, jid), row =>
          row
            ? addressOf(row)
            : andThen(tx.run(`insert into ${ADDRESSES} (jid, gone_before) values (?, 0)`, jid), ({ id }) => ({
                id,
                goneBefore: 0,
              })),
        );
      },
    });
  }

  /** Undefined for an address that no archive knows. */
  async find(bare: string): Promise<Address | undefined> {
    const known = this.cache.get(bare);
    if (known) return known;
    const row = await this.one.get(written(bare));
    if (!row) return undefined;
    // what was noted meanwhile is newer
    return this.note(bare, addressOf(row));
  }

  /** One that is in memory. */
  known(bare: string): Address | undefined {
    return this.cache.get(bare);
  }

  /** As `find`, and made where it is not there. At once for those that are in memory. */
  of(bare: string): MaybePromise<Address> {
    return this.cache.get(bare) ?? this.making.write(bare).then(address => this.note(bare, address));
  }

  /** Keeps in memory what is committed; an address that is known already stays as it is. */
  private note(bare: string, address: Address): Address {
    const known = this.cache.get(bare);
    if (known) return known;
    this.cache.set(bare, address);
    return address;
  }

  /** Nothing is left of what was gone: whatever is put into its archive from now on is there. */
  async restore(bare: string): Promise<void> {
    const address = await this.find(bare);
    if (!address) return;
    await this.storage.transact(tx => tx(ADDRESSES).where({ id: address.id }).update({ gone_before: 0 }));
    this.cache.set(bare, { id: address.id, goneBefore: 0 });
  }

  /** Everything that the address had in its archive up to a key is gone. Undefined for an address that no archive knows. */
  async forget(bare: string, before: number): Promise<Address | undefined> {
    const address = await this.find(bare);
    if (!address) return undefined;
    await this.storage.transact(tx => tx(ADDRESSES).where({ id: address.id }).update({ gone_before: before }));
    const gone = { id: address.id, goneBefore: before };
    this.cache.set(bare, gone);
    return gone;
  }
}
