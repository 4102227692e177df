import { randomInt } from 'node:crypto';
import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { accountKey } from '../rooms/contract.ts';
import { ALLOWANCES, CONCERNED, CURSORS, FAREWELLS, GROUPS_TABLE, migrations, MUTES } from './schema.ts';

export type GroupKind = 'discussion' | 'group';

/** What everybody in a group is to know. */
export interface Announcement {
  readonly text: string;
  /** A bare address. */
  readonly by: string;
  /** Milliseconds since 1970, as all times here. */
  readonly at: number;
}

/** What is kept of a group beside its room. */
export interface StoredGroup {
  readonly kind: GroupKind;
  readonly number: number;
  /** `accountKey` of who made it; '' where that is not known. */
  readonly founder: string;
  readonly founded: number;
  readonly active: number;
  readonly mutedUntil: number;
  readonly announcement: Announcement | undefined;
}

/** A group that somebody wants to have. */
export interface Claim {
  readonly room: Jid;
  readonly kind: GroupKind;
  readonly founder: string;
  /** How many of the kind a founder may have in this domain; undefined: any number. */
  readonly most: number | undefined;
  readonly now: number;
}

/** What the members of a group that was ended are told. */
export interface StoredFarewell {
  readonly room: number;
  readonly jid: string;
  /** JSON. */
  readonly farewell: string;
}

/** Accounts whose bookmarks are to be brought in line with who belongs to a group. */
export interface StoredDue {
  readonly id: number;
  readonly room: Jid;
  /** undefined: all who belong to it. */
  readonly accounts: readonly Jid[] | undefined;
}

interface Row {
  kind: GroupKind;
  number: number;
  founder: string;
  founded: number;
  active_at: number;
  muted_until: number;
  announcement: string | null;
  announced_by: string | null;
  announced_at: number | null;
}

interface Write {
  run(tx: BatchTransaction): MaybePromise<number>;
}

const FEWEST = 100_000_000;
const MOST = 999_999_999;

/** Groups: their kinds, numbers and founders, who is muted, what was announced; how many somebody may found. */
export class GroupStore {
  private readonly storage: Storage;
  private readonly group: Statement<Row>;
  private readonly muted: Statement<{ account: string; ends: number }>;
  private readonly byNumber: Statement<{ jid: string }>;
  private readonly counting: Statement<{ there: number }>;
  private readonly allowed: Statement<{ most: number }>;
  private readonly cursorOf: Statement<{ read_id: string }>;
  private readonly cursorsFrom: Statement<{ address: string; read_id: string; read_at: number }>;
  private readonly writing: BatchWriter<Write, number>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.group = storage.prepare(
      `select kind, number, founder, founded, active_at, muted_until, announcement, announced_by, announced_at
       from ${GROUPS_TABLE} where jid = ?`,
    );
    this.muted = storage.prepare(`select account, ends from ${MUTES} where jid = ?`);
    this.byNumber = storage.prepare(`select jid from ${GROUPS_TABLE} where number = ? and kind = ?`);
    this.counting = storage.prepare(COUNT);
    this.allowed = storage.prepare(`select most from ${ALLOWANCES} where account = ?`);
    this.cursorOf = storage.prepare(`select read_id from ${CURSORS} where jid = ? and account = ?`);
    this.cursorsFrom = storage.prepare(
      `select address, read_id, read_at from ${CURSORS} where jid = ? and read_id >= ? order by read_id desc, account`,
    );
    this.writing = storage.batch<Write, number>({ name: 'groups', write: (tx, row) => row.run(tx) });
  }

  load(room: Jid): MaybePromise<{ group: StoredGroup; mutes: Map<string, number> } | undefined> {
    return andThen(this.group.get(room.bare), row =>
      row
        ? andThen(this.muted.all(room.bare), mutes => ({
            group: groupOf(row),
            mutes: new Map(mutes.map(({ account, ends }) => [account, Number(ends)])),
          }))
        : undefined,
    );
  }

  /** The room of the group with a number; discussions are not found by theirs. */
  async numbered(number: number): Promise<string | undefined> {
    return (await this.byNumber.get(number, 'group'))?.jid;
  }

  /**
   * Makes a room a group, or a group one of another kind, unless its founder has as many of the kind as they may: looked up and written
   * in one go, so that of many at once only so many succeed. The number of those that there are is what is returned then, else -1.
   */
  claim(claim: Claim): Promise<number> {
    return this.write(tx =>
      andThen(
        tx.get<{ kind: GroupKind; founder: string; ending: number }>(
          `select kind, founder, ending from ${GROUPS_TABLE} where jid = ?`,
          claim.room.bare,
        ),
        kept => {
          // what is left of a room that had the name before
          if (kept && Number(kept.ending) === 1)
            return andThen(remove(tx, claim.room, true), () => this.claimNew(tx, claim, undefined));
          return this.claimNew(tx, claim, kept);
        },
      ),
    );
  }

  private claimNew(
    tx: BatchTransaction,
    claim: Claim,
    known: { kind: GroupKind; founder: string } | undefined,
  ): MaybePromise<number> {
    if (known && known.kind === claim.kind && known.founder === claim.founder) return -1;
    return andThen(count(tx, claim), there => {
      if (claim.most !== undefined && there >= claim.most) return there;
      return andThen(known ? change(tx, claim) : add(tx, claim), () => -1);
    });
  }

  /** How many of a kind somebody has founded in a domain that are there. */
  founded(founder: string, domain: string, kind: GroupKind): MaybePromise<number> {
    return andThen(this.counting.get(founder, domain, kind), row => Number(row?.there ?? 0));
  }

  /** It is no group any more; `ended`: only where its room was about to go, and no other has its name by now. */
  async remove(room: Jid, ended = false): Promise<void> {
    await this.write(tx => remove(tx, room, ended));
  }

  /** Somebody cannot speak until then; 0: can again. */
  async mute(room: Jid, account: Jid, until: number): Promise<void> {
    const key = accountKey(account.bare);
    await this.write(tx =>
      andThen(tx.run(`delete from ${MUTES} where jid = ? and account = ?`, room.bare, key), () =>
        until === 0
          ? 0
          : andThen(
              tx.run(`insert into ${MUTES} (jid, account, ends) values (?, ?, ?)`, room.bare, key, until),
              () => 0,
            ),
      ),
    );
  }

  async muteAll(room: Jid, until: number): Promise<void> {
    const sql = `update ${GROUPS_TABLE} set muted_until = ? where jid = ?`;
    await this.write(tx => andThen(tx.run(sql, until, room.bare), () => 0));
  }

  async announce(room: Jid, announcement: Announcement | undefined): Promise<void> {
    const { text = null, by = null, at = null } = announcement ?? {};
    const sql = `update ${GROUPS_TABLE} set announcement = ?, announced_by = ?, announced_at = ? where jid = ?`;
    await this.write(tx => andThen(tx.run(sql, text, by, at, room.bare), () => 0));
  }

  /** Something was said in these groups at about that time. */
  async touch(rooms: readonly string[], now: number): Promise<void> {
    const sql = `update ${GROUPS_TABLE} set active_at = ? where jid = ?`;
    await Promise.all(rooms.map(room => this.write(tx => andThen(tx.run(sql, now, room), () => 0))));
  }

  /** Discussions of a domain in which nothing was said since then. */
  async idle(domain: string, since: number, most: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string; domain: string; kind: string; active_at: number }>(GROUPS_TABLE)
        .where({ kind: 'discussion', domain })
        .where('active_at', '<', since)
        .orderBy('active_at')
        .limit(most)
        .select('jid'),
    );
    return rows.map(({ jid }) => jid);
  }

  /** All that are kept behind an address, in the order of addresses. */
  async after(jid: string, most: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string }>(GROUPS_TABLE).where('jid', '>', jid).orderBy('jid').limit(most).select('jid'),
    );
    return rows.map(row => row.jid);
  }

  /** Somebody has read up to a message; false where they had read it before. */
  async read(room: Jid, account: Jid, id: string, at: number): Promise<boolean> {
    const key = accountKey(account.bare);
    const moved = await this.write(tx =>
      andThen(
        tx.get<{ read_id: string }>(`select read_id from ${CURSORS} where jid = ? and account = ?`, room.bare, key),
        row => {
          if (row && row.read_id >= id) return 0;
          const done = row
            ? tx.run(
                `update ${CURSORS} set read_id = ?, read_at = ? where jid = ? and account = ?`,
                id,
                at,
                room.bare,
                key,
              )
            : tx.run(
                `insert into ${CURSORS} (jid, account, address, read_id, read_at) values (?, ?, ?, ?, ?)`,
                room.bare,
                key,
                account.bare,
                id,
                at,
              );
          return andThen(done, () => 1);
        },
      ),
    );
    return moved === 1;
  }

  /** The stanza id up to which somebody has read. */
  cursor(room: Jid, account: Jid): MaybePromise<string | undefined> {
    return andThen(this.cursorOf.get(room.bare, accountKey(account.bare)), row => row?.read_id);
  }

  /** Those who have read a message of that id, or all who have read anything (''), who has read most first. */
  async cursors(room: Jid, id: string): Promise<{ account: Jid; cursor: string; at: number }[]> {
    const rows = await this.cursorsFrom.all(room.bare, id);
    return rows.flatMap(({ address, read_id, read_at }) => {
      const account = parseJid(address);
      return account ? { account, cursor: read_id, at: Number(read_at) } : [];
    });
  }

  async forgetCursor(room: Jid, account: Jid): Promise<void> {
    const sql = `delete from ${CURSORS} where jid = ? and account = ?`;
    await this.write(tx => andThen(tx.run(sql, room.bare, accountKey(account.bare)), () => 0));
  }

  /** How many groups somebody may found; undefined: as everybody. */
  allowance(account: Jid): MaybePromise<number | undefined> {
    return andThen(this.allowed.get(accountKey(account.bare)), row => row && Number(row.most));
  }

  async allow(account: Jid, groups: number | undefined): Promise<void> {
    const key = accountKey(account.bare);
    await this.write(tx =>
      andThen(tx.run(`delete from ${ALLOWANCES} where account = ?`, key), () =>
        groups === undefined
          ? 0
          : andThen(tx.run(`insert into ${ALLOWANCES} (account, most) values (?, ?)`, key, groups), () => 0),
      ),
    );
  }

  /** Of an account that is there no more nothing is kept. */
  async forgetAccount(account: Jid): Promise<void> {
    const key = accountKey(account.bare);
    await this.write(tx =>
      [ALLOWANCES, MUTES, CURSORS].reduce<MaybePromise<number>>(
        (before, table) =>
          andThen(before, () => andThen(tx.run(`delete from ${table} where account = ?`, key), () => 0)),
        // the next of that name has founded none of them
        andThen(tx.run(`update ${GROUPS_TABLE} set founder = '' where founder = ?`, key), () => 0),
      ),
    );
  }

  /**
   * A group is about to end: whoever starts the program next tells its members, if this one does not. Its founder may found another from
   * then on.
   */
  async bid(farewell: StoredFarewell): Promise<void> {
    await this.write(tx =>
      andThen(forgetFarewell(tx, farewell, 1), () =>
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
    await this.write(tx => andThen(tx.run(`delete from ${FAREWELLS} where room = ?`, room), () => 0));
  }

  /** It has not ended after all. */
  async spare(farewell: Pick<StoredFarewell, 'jid' | 'room'>): Promise<void> {
    await this.write(tx => forgetFarewell(tx, farewell, 0));
  }

  farewells(): Promise<StoredFarewell[]> {
    return this.storage.read(q => q<StoredFarewell>(FAREWELLS).orderBy('room').select('room', 'jid', 'farewell'));
  }

  /** Notes that bookmarks of accounts are due (undefined: of all who belong to the group); the number of the note. */
  due(room: Jid, accounts: readonly Jid[] | undefined): Promise<number> {
    const sql = `insert into ${CONCERNED} (jid, accounts) values (?, ?)`;
    const list = accounts && JSON.stringify(accounts.map(({ bare }) => bare));
    return this.write(tx => andThen(tx.run(sql, room.bare, list ?? null), ({ id }) => Number(id)));
  }

  /** They are as they should be. */
  async settled(ids: readonly number[]): Promise<void> {
    const sql = `delete from ${CONCERNED} where id = ?`;
    await Promise.all(ids.map(id => this.write(tx => andThen(tx.run(sql, id), () => 0))));
  }

  /** What is due, behind a number, in the order in which it was noted. */
  async dueAfter(id: number, most: number): Promise<StoredDue[]> {
    const rows = await this.storage.read(q =>
      q<{ id: number; jid: string; accounts: string | null }>(CONCERNED)
        .where('id', '>', id)
        .orderBy('id')
        .limit(most)
        .select('id', 'jid', 'accounts'),
    );
    return rows.map(row => ({
      id: Number(row.id),
      room: parseJid(row.jid)!,
      accounts:
        row.accounts === null
          ? undefined
          : (JSON.parse(row.accounts) as string[]).flatMap(account => parseJid(account) ?? []),
    }));
  }

  private write(run: Write['run']): Promise<number> {
    return this.writing.write({ run });
  }
}

const COUNT = `select count(*) as there from ${GROUPS_TABLE} where founder = ? and domain = ? and kind = ? and ending = 0`;

function remove(tx: BatchTransaction, { bare }: Jid, ended: boolean): MaybePromise<number> {
  const which = ended ? ' and ending = 1' : '';
  return andThen(tx.run(`delete from ${GROUPS_TABLE} where jid = ?${which}`, bare), ({ changes }) =>
    changes === 0
      ? 0
      : andThen(tx.run(`delete from ${MUTES} where jid = ?`, bare), () =>
          andThen(tx.run(`delete from ${CURSORS} where jid = ?`, bare), () => 0),
        ),
  );
}

function forgetFarewell(
  tx: BatchTransaction,
  { room, jid }: Pick<StoredFarewell, 'jid' | 'room'>,
  ending: number,
): MaybePromise<number> {
  return andThen(tx.run(`delete from ${FAREWELLS} where room = ?`, room), () =>
    andThen(tx.run(`update ${GROUPS_TABLE} set ending = ? where jid = ?`, ending, jid), () => 0),
  );
}

function count(tx: BatchTransaction, { founder, room, kind }: Claim): MaybePromise<number> {
  return andThen(tx.get<{ there: number }>(COUNT, founder, room.domain, kind), row => Number(row?.there ?? 0));
}

function change(tx: BatchTransaction, { room, kind, founder }: Claim): MaybePromise<unknown> {
  return tx.run(`update ${GROUPS_TABLE} set kind = ?, founder = ? where jid = ?`, kind, founder, room.bare);
}

/** With a number that no other has. */
function add(tx: BatchTransaction, claim: Claim): MaybePromise<unknown> {
  const number = randomInt(FEWEST, MOST + 1);
  const taken = tx.get<{ jid: string }>(`select jid from ${GROUPS_TABLE} where number = ?`, number);
  return andThen(taken, row => {
    if (row) return add(tx, claim);
    const { room, kind, founder, now } = claim;
    return tx.run(
      `insert into ${GROUPS_TABLE} (jid, domain, kind, number, founder, founded, active_at, muted_until)
       values (?, ?, ?, ?, ?, ?, ?, 0)`,
      room.bare,
      room.domain,
      kind,
      number,
      founder,
      now,
      now,
    );
  });
}

function groupOf(row: Row): StoredGroup {
  return {
    kind: row.kind,
    number: Number(row.number),
    founder: row.founder,
    founded: Number(row.founded),
    active: Number(row.active_at),
    mutedUntil: Number(row.muted_until),
    announcement:
      row.announcement === null
        ? undefined
        : { text: row.announcement, by: row.announced_by ?? '', at: Number(row.announced_at) },
  };
}

export const groupStore: StoreDefinition<GroupStore> = { migrations, open: storage => new GroupStore(storage) };
