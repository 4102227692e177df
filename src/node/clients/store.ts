import type { BatchTransaction, BatchWriter, Migration, Statement, Storage } from '../../api/storage.ts';
import { andThen, type MaybePromise } from '../../util/maybe.ts';
import { Remembered } from '../../util/remembered.ts';

/** A token as it is kept: sealed (see seal.ts). */
export interface StoredToken {
  /** The only mechanism that it may be used with. */
  readonly mechanism: string;
  readonly sealed: Buffer;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiry: number;
  /** The highest `count` that came with it (XEP-0484 3.3). */
  readonly count: number;
}

/** A client of an account: an installation of a program, by the id of its <user-agent/> (XEP-0388). */
export interface ClientRow {
  /** Derived from the account and the user agent's id, of which it tells nothing. */
  readonly id: string;
  readonly host: string;
  readonly local: string;
  readonly software: string;
  readonly device: string;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When it last logged in with the password that the account has now; undefined when never. */
  readonly passwordAt: number | undefined;
  /** XEP-0484 3.6: the token in use, and one that was given and not used yet. */
  readonly current: StoredToken | undefined;
  readonly next: StoredToken | undefined;
}

/** A login of a client. */
export interface ClientLogin {
  readonly id: string;
  readonly host: string;
  readonly local: string;
  readonly software: string;
  readonly device: string;
  readonly at: number;
  /** The token that it logged in with, and the count that came with it; undefined: with its password. */
  readonly used: { readonly token: StoredToken; readonly count: number | undefined } | undefined;
  /** XEP-0484 3.5: the client wants its tokens to be of no use any more. */
  readonly invalidate: boolean;
  readonly issued: StoredToken | undefined;
  /** Clients that an account may have here; those that were not seen for the longest time make room. */
  readonly most: number;
  /** Clients of the account that have sessions now: nobody was seen later. */
  readonly here: readonly string[];
}

interface Columns {
  id: string;
  host: string;
  local: string;
  software: string;
  device: string;
  first_seen: number;
  last_seen: number;
  password_at: number | null;
  current_mechanism: string | null;
  current_token: Buffer | null;
  current_issued: number | null;
  current_expiry: number | null;
  current_count: number | null;
  next_mechanism: string | null;
  next_token: Buffer | null;
  next_issued: number | null;
  next_expiry: number | null;
  next_count: number | null;
}

const TABLE = 'clients';
const SLOTS = ['current', 'next'] as const;
type Slot = (typeof SLOTS)[number];

export const migrations: readonly Migration[] = [
  {
    name: '001-clients',
    up: async schema => {
      await schema.createTable(TABLE, table => {
        table.string('id', 32).primary();
        table.string('host', 80).notNullable();
        table.string('local', 110).notNullable();
        table.string('software', 100).notNullable();
        table.string('device', 100).notNullable();
        table.bigInteger('first_seen').notNullable();
        table.bigInteger('last_seen').notNullable();
        table.bigInteger('password_at');
        for (const slot of SLOTS) {
          table.string(`${slot}_mechanism`, 32);
          table.binary(`${slot}_token`, 255);
          table.bigInteger(`${slot}_issued`);
          table.bigInteger(`${slot}_expiry`);
          table.bigInteger(`${slot}_count`);
        }
        table.index(['host', 'local']);
        table.index(['last_seen']);
      });
    },
  },
];

const WRITTEN = [
  'software',
  'device',
  'last_seen',
  'password_at',
  ...SLOTS.flatMap(slot => ['mechanism', 'token', 'issued', 'expiry', 'count'].map(name => `${slot}_${name}`)),
] as const;
const ALL = ['id', 'host', 'local', 'first_seen', ...WRITTEN] as const;
const SELECT = `SELECT * FROM ${TABLE} WHERE id = ?`;
const INSERT = `INSERT INTO ${TABLE} (${ALL.join(', ')}) VALUES (${ALL.map(() => '?').join(', ')})`;
const UPDATE = `UPDATE ${TABLE} SET ${WRITTEN.map(name => `${name} = ?`).join(', ')} WHERE id = ?`;
const SEEN = `UPDATE ${TABLE} SET last_seen = ? WHERE id = ? AND last_seen < ?`;
const BEYOND = `SELECT id FROM ${TABLE} WHERE host = ? AND local = ? ORDER BY last_seen DESC, id LIMIT 1 OFFSET ?`;

/** Clients that are remembered as they were read; each takes about a kilobyte, with its token. */
const REMEMBERED = 8192;

/**
 * The clients of accounts, and their tokens. Those that were asked for lately are remembered, since a phone comes back again and again,
 * until anything is written of them: this node is the only one that writes here.
 */
export class ClientStore {
  private readonly storage: Storage;
  private readonly lately = new Remembered<ClientRow>(REMEMBERED);
  private readonly byId: Statement<Columns>;
  private readonly logins: BatchWriter<ClientLogin, readonly string[] | undefined>;
  private readonly sightings: BatchWriter<{ id: string; at: number }, void>;

  private constructor(storage: Storage) {
    this.storage = storage;
    this.byId = storage.prepare(SELECT);
    this.logins = storage.batch({ name: 'client logins', write: writeLogin });
    this.sightings = storage.batch({
      name: 'client sightings',
      write: (tx, { id, at }) => andThen(tx.run(SEEN, at, id, at), () => {}),
    });
  }

  static async open(storage: Storage): Promise<ClientStore> {
    await storage.migrate('clients', migrations);
    return new ClientStore(storage);
  }

  /** The same object for the same question, as long as nothing is written. */
  get(id: string): MaybePromise<ClientRow | undefined> {
    return this.lately.get(id, () => andThen(this.byId.get(id), row => row && fromColumns(row)));
  }

  /**
   * Notes a login: the token that was used becomes the current one, and what was given before it is of no use any more. False, and
   * nothing is noted, when that token is gone, or its count was there before. Resolved when it is safe.
   */
  async login(login: ClientLogin): Promise<boolean> {
    const changed = await this.lately.written(login.id, this.logins.write(login));
    changed?.forEach(id => this.lately.forget(id));
    return changed !== undefined;
  }

  /** Notes that a client was there. */
  seen(id: string, at: number): Promise<void> {
    return this.lately.written(id, this.sightings.write({ id, at }));
  }

  /** The clients of an account, the one that was seen last first. */
  async list(host: string, local: string): Promise<ClientRow[]> {
    const rows = await this.storage.read(q =>
      q<Columns>(TABLE).where({ host, local }).orderBy('last_seen', 'desc').orderBy('id').select(),
    );
    return rows.map(fromColumns);
  }

  /** Takes a client its tokens. False when there is none of that id. */
  async revoke(id: string): Promise<boolean> {
    return (
      (await this.lately.written(
        id,
        this.storage.transact(tx => tx(TABLE).where({ id }).update(NO_TOKENS)),
      )) > 0
    );
  }

  /** The password of an account is another one: no client has it but the one that has set it, and tokens that the old one gave are gone. */
  async passwordChanged(host: string, local: string, by?: { readonly id: string; readonly at: number }): Promise<void> {
    const done = this.storage.transact(async tx => {
      await tx(TABLE)
        .where({ host, local })
        .update({ ...NO_TOKENS, password_at: null });
      if (by) await tx(TABLE).where({ host, local, id: by.id }).update({ password_at: by.at });
    });
    await this.lately.written(undefined, done);
  }

  async forget(id: string): Promise<boolean> {
    return (
      (await this.lately.written(
        id,
        this.storage.transact(tx => tx(TABLE).where({ id }).delete()),
      )) > 0
    );
  }

  async removeAccount(host: string, local: string): Promise<void> {
    await this.lately.written(
      undefined,
      this.storage.transact(tx => tx(TABLE).where({ host, local }).delete()),
    );
  }

  /** Forgets clients that were last seen before a time, at most so many at once. Returns how many. */
  async purge(before: number, limit: number): Promise<number> {
    const done = this.storage.transact(async tx => {
      const ids = await tx<Columns>(TABLE).where('last_seen', '<', before).limit(limit).pluck('id');
      if (ids.length > 0) await tx(TABLE).whereIn('id', ids).delete();
      return ids.length;
    });
    return this.lately.written(undefined, done);
  }
}

/** The clients that it changed besides, to make room; undefined where it was refused. */
function writeLogin(tx: BatchTransaction, login: ClientLogin): MaybePromise<readonly string[] | undefined> {
  return andThen(tx.get<Columns>(SELECT, login.id), columns => {
    const row = columns && fromColumns(columns);
    const slots = slotsAfter(row, login);
    if (!slots) return undefined;
    const { id, host, local, at } = login;
    const values = [
      login.software,
      login.device,
      at,
      login.used ? (row?.passwordAt ?? null) : at,
      ...toColumns(slots.current),
      ...toColumns(slots.next),
    ];
    if (row) return andThen(tx.run(UPDATE, ...values, id), () => []);
    return andThen(tx.run(INSERT, id, host, local, at, ...values), () => makeRoom(tx, login));
  });
}

/** The tokens of a client after a login (XEP-0484 3.6); undefined when the one that was used cannot be. */
function slotsAfter(row: ClientRow | undefined, login: ClientLogin): Record<Slot, StoredToken | undefined> | undefined {
  const { used, invalidate, issued } = login;
  const slots: Record<Slot, StoredToken | undefined> = { current: row?.current, next: row?.next };
  if (used) {
    const slot = SLOTS.find(each => slots[each]?.sealed.equals(used.token.sealed));
    const token = slot && slots[slot];
    if (!token || (used.count !== undefined && used.count <= token.count)) return undefined;
    slots[slot] = undefined;
    slots.current = { ...token, count: used.count ?? token.count };
  }
  if (invalidate) slots.current = slots.next = undefined;
  if (issued) slots.next = issued;
  return slots;
}

/** Forgets what an account has beyond its bound. The clients that are other than they were. */
function makeRoom(tx: BatchTransaction, login: ClientLogin): MaybePromise<readonly string[]> {
  const { host, local, most, here, at } = login;
  return andThen(tx.get<{ id: string }>(BEYOND, host, local, most), beyond => {
    if (!beyond) return [];
    // just before the one that comes
    const see = (before: MaybePromise<unknown>, id: string) => andThen(before, () => tx.run(SEEN, at - 1, id, at - 1));
    return andThen(here.reduce(see, undefined), () => forgetBeyond(tx, login, [...here]));
  });
}

function forgetBeyond(tx: BatchTransaction, login: ClientLogin, changed: string[]): MaybePromise<readonly string[]> {
  const { host, local, most } = login;
  return andThen(tx.get<{ id: string }>(BEYOND, host, local, most), beyond => {
    if (!beyond) return changed;
    changed.push(beyond.id);
    return andThen(tx.run(`DELETE FROM ${TABLE} WHERE id = ?`, beyond.id), () => forgetBeyond(tx, login, changed));
  });
}

const NO_TOKENS = Object.fromEntries(WRITTEN.filter(name => /^(?:current|next)_/.test(name)).map(name => [name, null]));

function toColumns(token: StoredToken | undefined): unknown[] {
  return token
    ? [token.mechanism, token.sealed, token.issuedAt, token.expiry, token.count]
    : [null, null, null, null, null];
}

function fromColumns(row: Columns): ClientRow {
  return {
    id: row.id,
    host: row.host,
    local: row.local,
    software: row.software,
    device: row.device,
    firstSeen: Number(row.first_seen),
    lastSeen: Number(row.last_seen),
    passwordAt: row.password_at === null ? undefined : Number(row.password_at),
    current: tokenOf(row, 'current'),
    next: tokenOf(row, 'next'),
  };
}

function tokenOf(row: Columns, slot: Slot): StoredToken | undefined {
  const sealed = row[`${slot}_token`];
  if (sealed === null) return undefined;
  return {
    mechanism: row[`${slot}_mechanism`]!,
    sealed,
    issuedAt: Number(row[`${slot}_issued`]),
    expiry: Number(row[`${slot}_expiry`]),
    count: Number(row[`${slot}_count`]),
  };
}
