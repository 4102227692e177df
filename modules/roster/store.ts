import { createHash } from 'node:crypto';
import {
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
  andThen,
} from '../../src/api/index.ts';
import { Jid } from '../../src/jid/index.ts';
import type { RosterItem, Subscription } from './contract.ts';

const ITEMS = 'roster_items';
const VERSIONS = 'roster_versions';

/** Items read in one go; longer rosters are read in pages, between which others get their turn. */
export const PAGE = 500;
/** Removed contacts of an account that are remembered, so that clients can be told of them by version (RFC 6121 2.6). */
export const REMOVALS = 100;
const REMOVED = 'remove';

interface Row {
  id: number;
  contact: string;
  name: string | null;
  subscription: Subscription;
  ask: number;
  approved: number;
  group_names: string;
}

/** A roster as it is in memory. */
export interface StoredRoster {
  readonly items: Map<string, RosterItem>;
  /** Characters of all addresses, names and groups. */
  size: number;
  /** Grows with every change; no roster of an account of that name ever had it before. */
  version: number;
  /** All changes after this version are known. */
  floor: number;
}

/** That a contact changed, was added or (when the roster has it no more) removed. */
export interface Changed {
  readonly contact: string;
  readonly version: number;
}

interface Put {
  readonly account: string;
  readonly contact: string;
  readonly item: RosterItem | undefined;
  readonly version: number;
}

/** Rosters by account. Removed contacts stay for a while, without their content. */
export class RosterStore {
  private readonly page: Statement<Row>;
  private readonly versions: Statement<{ version: number; floor: number }>;
  private readonly later: Statement<Changed>;
  private readonly puts: BatchWriter<Put, number>;
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
    this.page = storage.prepare(
      `SELECT id, contact, name, subscription, ask, approved, group_names FROM ${ITEMS}
       WHERE account = ? AND id > ? AND subscription <> '${REMOVED}' ORDER BY id LIMIT ${PAGE}`,
    );
    this.versions = storage.prepare(`SELECT version, floor FROM ${VERSIONS} WHERE account = ?`);
    this.later = storage.prepare(
      `SELECT contact, version FROM ${ITEMS} WHERE account = ? AND version > ? ORDER BY version LIMIT ?`,
    );
    this.puts = storage.batch({ name: 'roster', write: put });
  }

  /** A roster, at once unless it is longer than a page. Nobody may change it meanwhile. */
  load(account: string): MaybePromise<StoredRoster> {
    return andThen(this.versions.get(account), row => {
      const roster: StoredRoster = {
        items: new Map(),
        size: 0,
        version: Number(row?.version ?? 0),
        floor: Number(row?.floor ?? 0),
      };
      return andThen(this.read(account, 0, roster), last =>
        last === undefined ? roster : this.loadRest(account, last, roster),
      );
    });
  }

  private async loadRest(account: string, after: number, roster: StoredRoster): Promise<StoredRoster> {
    for (let last: number | undefined = after; last !== undefined;) {
      await new Promise(resolve => setImmediate(resolve));
      last = await this.read(account, last, roster);
    }
    return roster;
  }

  /** Reads a page; the place to go on from, if there may be more. */
  private read(account: string, after: number, roster: StoredRoster): MaybePromise<number | undefined> {
    return andThen(this.page.all(account, after), rows => {
      for (const row of rows) {
        const item = fromRow(row);
        roster.items.set(row.contact, item);
        roster.size += sizeOf(item);
      }
      return rows.length < PAGE ? undefined : rows.at(-1)!.id;
    });
  }

  /** Puts an item, or takes it away; returns the version from which on all changes are known. */
  put(account: string, contact: string, item: RosterItem | undefined, version: number): Promise<number> {
    return this.puts.write({ account, contact, item, version });
  }

  /** Contacts that changed after a version, oldest change first. */
  changedSince(account: string, version: number, most: number): MaybePromise<Changed[]> {
    return andThen(this.later.all(account, version, most), rows =>
      rows.map(({ contact, version: at }) => ({ contact, version: Number(at) })),
    );
  }

  async removeAll(account: string): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(ITEMS).where({ account }).delete();
      await tx(VERSIONS).where({ account }).delete();
    });
  }
}

function put(tx: BatchTransaction, change: Put): MaybePromise<number> {
  return andThen(write(tx, change), () => raise(tx, change));
}

function write(tx: BatchTransaction, { account, contact, item, version }: Put): MaybePromise<unknown> {
  const key = keyOf(contact);
  return andThen(tx.run(`DELETE FROM ${ITEMS} WHERE account = ? AND contact_key = ?`, account, key), () =>
    tx.run(
      `INSERT INTO ${ITEMS} (account, contact_key, contact, version, name, subscription, ask, approved, group_names)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      account,
      key,
      contact,
      version,
      item?.name ?? null,
      item?.subscription ?? REMOVED,
      item?.ask ? 1 : 0,
      item?.approved ? 1 : 0,
      JSON.stringify(item?.groups ?? []),
    ),
  );
}

/** Notes the version; the one from which on all changes are known. */
function raise(tx: BatchTransaction, { account, item, version }: Put): MaybePromise<number> {
  return andThen(tx.get<{ floor: number }>(`SELECT floor FROM ${VERSIONS} WHERE account = ?`, account), known => {
    // of what was before the first version nothing is known: the account may be another's by the same name
    if (!known) {
      const insert = `INSERT INTO ${VERSIONS} (account, version, floor) VALUES (?, ?, ?)`;
      return andThen(tx.run(insert, account, version, version), () => version);
    }
    return andThen(item ? undefined : forget(tx, account), forgotten => {
      const floor = forgotten ?? Number(known.floor);
      const update = `UPDATE ${VERSIONS} SET version = ?, floor = ? WHERE account = ?`;
      return andThen(tx.run(update, version, floor, account), () => floor);
    });
  });
}

/** Forgets the removals beyond what is remembered; the version of the last of them. */
function forget(tx: BatchTransaction, account: string): MaybePromise<number | undefined> {
  const oldest = tx.get<{ version: number }>(
    `SELECT version FROM ${ITEMS} WHERE account = ? AND subscription = '${REMOVED}' ORDER BY version DESC LIMIT 1 OFFSET ${REMOVALS}`,
    account,
  );
  return andThen(oldest, row => {
    if (!row) return undefined;
    const remove = `DELETE FROM ${ITEMS} WHERE account = ? AND subscription = '${REMOVED}' AND version <= ?`;
    return andThen(tx.run(remove, account, row.version), () => Number(row.version));
  });
}

/** An address may have 2047 bytes, more than an index takes. */
function keyOf(contact: string): string {
  return contact.length <= 128 ? contact : `#${createHash('sha256').update(contact).digest('hex')}`;
}

/** Addresses were prepared when they were stored. */
function bareJid(text: string): Jid {
  const at = text.indexOf('@');
  return new Jid(at < 0 ? '' : text.slice(0, at), text.slice(at + 1), '', undefined, text);
}

function fromRow(row: Row): RosterItem {
  return {
    jid: row.contact,
    address: bareJid(row.contact),
    name: row.name ?? undefined,
    subscription: row.subscription,
    ask: row.ask === 1,
    approved: row.approved === 1,
    groups: row.group_names === '[]' ? NO_GROUPS : (JSON.parse(row.group_names) as string[]),
  };
}

/** Characters of what makes an item long. */
export function sizeOf(item: RosterItem | undefined): number {
  if (!item) return 0;
  let size = item.jid.length + (item.name?.length ?? 0);
  for (const group of item.groups) size += group.length;
  return size;
}

export const NO_GROUPS: readonly string[] = [];

export const rosterStore: StoreDefinition<RosterStore> = {
  migrations: [
    {
      name: '001-roster',
      up: async schema => {
        await schema.createTable(ITEMS, table => {
          table.increments('id');
          table.string('account', 191).notNullable();
          table.string('contact_key', 128).notNullable();
          table.text('contact').notNullable();
          table.bigInteger('version').notNullable();
          table.text('name', 'mediumtext');
          table.string('subscription', 8).notNullable();
          table.integer('ask').notNullable();
          table.integer('approved').notNullable();
          table.text('group_names', 'mediumtext').notNullable();
          table.unique(['account', 'contact_key']);
          table.index(['account', 'version']);
        });
        await schema.createTable(VERSIONS, table => {
          table.string('account', 191).primary();
          table.bigInteger('version').notNullable();
          table.bigInteger('floor').notNullable();
        });
      },
    },
  ],
  open: storage => new RosterStore(storage),
};
