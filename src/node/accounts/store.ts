import { randomBytes } from 'node:crypto';
import type { BatchWriter, Migration, Statement, Storage } from '../../api/storage.ts';
import { type MaybePromise, andThen } from '../../util/maybe.ts';
import { Remembered } from '../../util/remembered.ts';
import type { ScramHash } from '../../stream/sasl/index.ts';

/** What is kept of a password for one hash: RFC 5802 3. */
export interface StoredKeys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** What is kept of a password: never the password itself. */
export interface Credentials {
  readonly salt: Buffer;
  readonly iterations: number;
  /** For each hash, but for an account that came from elsewhere with those of one or two only. */
  readonly keys: Readonly<Partial<Record<ScramHash, StoredKeys>>>;
}

export interface AccountRow {
  readonly local: string;
  readonly host: string;
  readonly status: 'active' | 'disabled';
  readonly createdAt: number;
  readonly lastLogin: number | undefined;
  readonly credentials: Credentials;
}

interface Columns {
  local: string;
  host: string;
  status: 'active' | 'disabled';
  created_at: number;
  last_login: number | null;
  salt: Buffer;
  iterations: number;
  sha1_stored: Buffer;
  sha1_server: Buffer;
  sha256_stored: Buffer;
  sha256_server: Buffer;
  sha512_stored: Buffer;
  sha512_server: Buffer;
}

const TABLE = 'accounts';

/** Characters: both together stay below the 767 bytes that an index of MySQL 5.7 may have. */
export const LONGEST_HOST = 80;
export const LONGEST_LOCAL = 110;

export const migrations: readonly Migration[] = [
  {
    name: '001-accounts',
    up: async schema => {
      await schema.createTable(TABLE, table => {
        table.increments('id');
        table.string('host', LONGEST_HOST).notNullable();
        table.string('local', LONGEST_LOCAL).notNullable();
        table.string('status', 16).notNullable();
        table.bigInteger('created_at').notNullable();
        table.bigInteger('last_login');
        table.binary('salt', 32).notNullable();
        table.integer('iterations').notNullable();
        for (const hash of ['sha1', 'sha256', 'sha512']) {
          table.binary(`${hash}_stored`, 64).notNullable();
          table.binary(`${hash}_server`, 64).notNullable();
        }
        table.unique(['host', 'local']);
      });
      await schema.createTable('installation', table => {
        table.string('name', 64).primary();
        table.binary('value').notNullable();
      });
    },
  },
  {
    name: '002-longer-salts',
    up: async (_, tx) => {
      // accounts of other servers have longer ones; the other databases set no bound
      if (tx.client.config.client === 'mysql2') await tx.raw(`alter table ${TABLE} modify salt varbinary(64) not null`);
    },
  },
];

/** Accounts whose status is remembered: each login by token asks for it. */
const REMEMBERED = 20_000;

/** Accounts by host and local part. */
export class AccountStore {
  private readonly storage: Storage;
  private readonly statuses = new Remembered<AccountRow['status']>(REMEMBERED);
  private readonly byName: Statement<Columns>;
  private readonly statusByName: Statement<Pick<Columns, 'status'>>;
  private readonly logins: BatchWriter<{ host: string; local: string; at: number }, void>;

  private constructor(storage: Storage) {
    this.storage = storage;
    this.byName = storage.prepare(`SELECT * FROM ${TABLE} WHERE host = ? AND local = ?`);
    this.statusByName = storage.prepare(`SELECT status FROM ${TABLE} WHERE host = ? AND local = ?`);
    this.logins = storage.batch({
      name: 'logins',
      write: (tx, { host, local, at }) =>
        andThen(tx.run(`UPDATE ${TABLE} SET last_login = ? WHERE host = ? AND local = ?`, at, host, local), () => {}),
    });
  }

  static async open(storage: Storage): Promise<AccountStore> {
    await storage.migrate('accounts', migrations);
    return new AccountStore(storage);
  }

  /** A secret of this installation, made when it is first asked for. */
  async secret(name: string): Promise<Buffer> {
    return this.storage.transact(async tx => {
      const row = await tx<{ name: string; value: Buffer }>('installation').where({ name }).first();
      if (row) return row.value;
      const value = randomBytes(32);
      await tx('installation').insert({ name, value });
      return value;
    });
  }

  get(host: string, local: string): MaybePromise<AccountRow | undefined> {
    return andThen(this.byName.get(host, local), row => row && fromColumns(row));
  }

  /** Undefined where there is no such account. */
  status(host: string, local: string): MaybePromise<'active' | 'disabled' | undefined> {
    return this.statuses.get(address(host, local), () =>
      andThen(this.statusByName.get(host, local), row => row?.status),
    );
  }

  /** False when there is one of that name. */
  async insert(host: string, local: string, credentials: Credentials, createdAt: number): Promise<boolean> {
    return this.storage.transact(async tx => {
      const there = await tx(TABLE).where({ host, local }).first('id');
      if (there) return false;
      await tx(TABLE).insert({ host, local, status: 'active', created_at: createdAt, ...toColumns(credentials) });
      return true;
    });
  }

  async setCredentials(host: string, local: string, credentials: Credentials): Promise<boolean> {
    return (await this.storage.transact(tx => tx(TABLE).where({ host, local }).update(toColumns(credentials)))) > 0;
  }

  /**
   * Puts credentials in the place of those that were seen. False when others are there by now: a password that was changed
   * meanwhile must not come back.
   */
  async replaceCredentials(host: string, local: string, seen: Credentials, credentials: Credentials): Promise<boolean> {
    const { salt } = seen; // each setting of a password has its own
    const replaced = await this.storage.transact(tx =>
      tx(TABLE).where({ host, local, salt }).update(toColumns(credentials)),
    );
    return replaced > 0;
  }

  async setStatus(host: string, local: string, status: 'active' | 'disabled'): Promise<boolean> {
    const done = this.storage.transact(tx => tx(TABLE).where({ host, local }).update({ status }));
    return (await this.statuses.written(address(host, local), done)) > 0;
  }

  async remove(host: string, local: string): Promise<boolean> {
    const done = this.storage.transact(tx => tx(TABLE).where({ host, local }).delete());
    return (await this.statuses.written(address(host, local), done)) > 0;
  }

  /** Notes a login; with others, at the end of the tick. */
  noteLogin(host: string, local: string, at: number): Promise<void> {
    return this.logins.write({ host, local, at });
  }

  async list(host: string, after: string, limit: number): Promise<AccountRow[]> {
    const rows = await this.storage.read(q =>
      q<Columns>(TABLE).where('host', host).andWhere('local', '>', after).orderBy('local').limit(limit).select(),
    );
    return rows.map(fromColumns);
  }

  async count(host: string): Promise<number> {
    const row = await this.storage.read(q => q(TABLE).where({ host }).count({ n: '*' }).first());
    return Number(row?.n ?? 0);
  }
}

function address(host: string, local: string): string {
  return `${local}@${host}`;
}

function fromColumns(row: Columns): AccountRow {
  return {
    local: row.local,
    host: row.host,
    status: row.status,
    createdAt: Number(row.created_at),
    lastLogin: row.last_login === null ? undefined : Number(row.last_login),
    credentials: {
      salt: row.salt,
      iterations: row.iterations,
      keys: {
        ...keysOf('sha1', row.sha1_stored, row.sha1_server),
        ...keysOf('sha256', row.sha256_stored, row.sha256_server),
        ...keysOf('sha512', row.sha512_stored, row.sha512_server),
      },
    },
  };
}

/** Keys that are not known are kept as empty. */
function keysOf(hash: ScramHash, storedKey: Buffer, serverKey: Buffer): Credentials['keys'] {
  return storedKey.length > 0 ? { [hash]: { storedKey, serverKey } } : {};
}

const NONE: StoredKeys = { storedKey: Buffer.alloc(0), serverKey: Buffer.alloc(0) };

function toColumns({ salt, iterations, keys }: Credentials) {
  const { sha1 = NONE, sha256 = NONE, sha512 = NONE } = keys;
  return {
    salt,
    iterations,
    sha1_stored: sha1.storedKey,
    sha1_server: sha1.serverKey,
    sha256_stored: sha256.storedKey,
    sha256_server: sha256.serverKey,
    sha512_stored: sha512.storedKey,
    sha512_server: sha512.serverKey,
  };
}
